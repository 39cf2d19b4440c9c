import { afterEach, beforeEach, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { troubled, type Troubled } from '../support/trouble.ts';
import { checkAll, keepHistory } from './history.ts';
import { Random } from './random.ts';
import { until } from './until.ts';

let sluice: Sluice;
let shelf: Troubled;
const random = new Random(3);
beforeEach(async () => {
  sluice = await startSluice({
    workers: 2,
    timing: { leaseSeconds: 2 },
    storage: (storage) => (shelf = troubled(storage, () => random.next())),
  });
  await keepHistory(sluice.db);
});
afterEach(() => sluice[Symbol.asyncDispose]());

const trouble = { refuses: 0.04, breaks: 0.1, forgets: 0.1, slow: 0.2, slowMs: 50 };

test(
  'a storage that refuses, breaks off, forgets to answer and dawdles: batches take longer and are whole',
  { timeout: 240_000 },
  async () => {
    const { client, db } = sluice;
    const sent = [];
    for (let i = 0; i < 4; i++) {
      const customIds = Array.from({ length: 100 }, (_, line) => `b${i}-${line}`);
      const script = () => random.pick([undefined, { delay_ms: random.between(1, 400) }, { fail_times: 1 }, { status: 400 }]);
      const { id } = await createBatch(
        client,
        customIds.map((custom) => chatLine(custom, { echo: script() })),
      );
      sent.push({ id, customIds });
    }
    // As often as it may go wrong beyond the tries of a client of an object store; from intake on, uploads are behind us.
    shelf.trouble = trouble;
    for (const { id } of sent) expect(await untilEnded(client, id)).toMatchObject({ status: 'completed', errors: null });
    console.log(`the storage's troubles: ${JSON.stringify(shelf.had)}`);
    expect(shelf.had.refused + shelf.had.broke + shelf.had.forgot).toBeGreaterThan(1);
    shelf.trouble = null;
    expect(await checkAll(db, sluice.storage, sent)).toEqual([]);
  },
);

test('a storage that breaks off while an output file is written: the batch waits in finalizing, and nothing half-written is published', async () => {
  const { client, db } = sluice;
  const customIds = Array.from({ length: 50 }, (_, i) => `r${i}`);
  const { id } = await createBatch(
    client,
    customIds.map((custom) => chatLine(custom, { echo: { delay_ms: 200 } })),
  );
  // What comes before the files is written.
  shelf.trouble = { refuses: 0, breaks: 1, forgets: 0, slow: 0, slowMs: 0, only: /\/files\// };
  await until('it has been tried twice', () => shelf.had.broke >= 2, 15_000);
  expect(await client.batches.retrieve(id)).toMatchObject({ status: 'finalizing', output_file_id: null, error_file_id: null });
  expect(await db.many(sql`select id from files where purpose = 'batch_output'`)).toEqual([]);
  shelf.trouble = null;
  expect(await untilEnded(client, id)).toMatchObject({ status: 'completed', request_counts: { completed: 50 } });
  expect(await checkAll(db, sluice.storage, [{ id, customIds }])).toEqual([]);
});
