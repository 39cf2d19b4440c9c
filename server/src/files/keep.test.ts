import { expect } from 'vitest';
import { openProxy } from '../../test/crash/proxy.ts';
import { test } from '../../test/support/database.ts';
import { openPool } from '../db/db.ts';
import { openMemory } from '../storage/memory.ts';
import { createFile, fileKey } from './files.ts';

const who = { tenant: 'default', user: 'tester' };
const content = { id: 'file-kept', filename: 'x.jsonl', purpose: 'batch', bytes: [Buffer.from('{}\n')] } as const;

test.for(['lose request', 'lose reply'] as const)(
  'bytes stay where nobody can say whether their row will be there: %s',
  async (fate, { db }) => {
    await using proxy = await openProxy(db.url);
    await using wire = openPool({ url: proxy.url, name: 'test' });
    const storage = openMemory();
    proxy.fate = (statement) => (/insert into files/.test(statement) ? fate : 'pass');
    await expect(createFile({ db: wire, storage }, who, content)).rejects.toThrow(/Connection terminated|ECONNRESET/);
    expect(await storage.size(fileKey(who.tenant, content.id))).toBe(3);
  },
);

test('bytes go where their row was refused', async ({ db }) => {
  const storage = openMemory();
  const refused = createFile({ db, storage }, who, { ...content, id: 'file-refused', expiresSeconds: Number.NaN });
  expect(await refused.catch((error: unknown) => error)).toHaveProperty('code');
  expect(await storage.size(fileKey(who.tenant, 'file-refused'))).toBe(null);
});
