import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { openChemistry } from './chemistry.ts';
import { FeatureCache, openFeatureFile } from './feature-cache.ts';
import { featureCount } from './feature-layout.ts';
import { Featuriser } from './features.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const bytes = 1_000_000;

const folderOf = () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-features-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const opened = (folder: string, size = bytes): number => {
  const fd = openFeatureFile({ folder, bytes: size }, silent)!;
  onTestFinished(() => closeSync(fd));
  return fd;
};
const molecules = (count: number) =>
  parse<{ smiles: string }>(readFileSync(`${root}server/test/expected/aqsol_logs.csv`), { columns: true })
    .slice(0, count)
    .map(({ smiles }) => smiles);
const matrixOf = (featuriser: Featuriser, smiles: readonly string[]): Buffer => {
  const matrix = new Float32Array(smiles.length * featureCount);
  for (const [row, text] of smiles.entries()) expect(featuriser.fill(text, matrix, row * featureCount)).toBeNull();
  return Buffer.from(matrix.buffer);
};

test('what is looked up is, bit for bit, what would be computed; another process on the same file computes nothing', async () => {
  const smiles = molecules(200);
  const bare = matrixOf(await Featuriser.create(), smiles);
  const folder = folderOf();
  const first = await Featuriser.create(opened(folder));
  expect(matrixOf(first, smiles).equals(bare)).toBe(true);
  expect(first.cache).toMatchObject({ hits: 0, lookups: 200 });
  const second = await Featuriser.create(opened(folder));
  expect(matrixOf(second, smiles).equals(bare)).toBe(true);
  expect(second.cache).toMatchObject({ hits: 200, lookups: 200 });
});

test('what is no molecule is not kept, and has its reason each time', async () => {
  const featuriser = await Featuriser.create(opened(folderOf()));
  const target = new Float32Array(featureCount);
  for (let i = 0; i < 2; i++) expect(featuriser.fill('CC(C)(C)(C)C', target, 0)).toContain('valence');
  expect(featuriser.cache!.hits).toBe(0);
});

test('checking molecules keeps the features that models ask for, and finds the same', async () => {
  // A model is asked with what stands between blanks.
  const smiles = molecules(400).map((text) => text.trim());
  const [folder, roomy] = [folderOf(), 40_000_000];
  await using chemistry = openChemistry({ log: silent, scratch: folderOf(), features: opened(folder, roomy) });
  expect(chemistry.keeps).toBe(Math.floor(roomy / 4 / 344) * 4);
  const plain = await chemistry.check(smiles);
  const unkept = await Featuriser.create(opened(folder, roomy));
  matrixOf(unkept, smiles.slice(0, 5));
  expect(unkept.cache!.hits).toBe(0);
  expect(await chemistry.check([...smiles.map((text) => ` ${text}`), 'CCN', 'CC(C)(C)(C)C'], { features: true })).toMatchObject([
    ...plain,
    { ok: true },
    { ok: false },
  ]);
  const kept = await Featuriser.create(opened(folder, roomy));
  expect(matrixOf(kept, [...smiles, 'CCN']).equals(matrixOf(await Featuriser.create(), [...smiles, 'CCN']))).toBe(true);
  expect(kept.cache).toMatchObject({ hits: 401, lookups: 401 });
  // Of a record, those of the SMILES that a model is asked with.
  const methane = '\n\n\n  1  0  0  0  0  0            999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n';
  expect(await chemistry.check([methane], { molblock: true, features: true })).toMatchObject([{ ok: true, smiles: 'C' }]);
  matrixOf(kept, ['C']);
  expect(kept.cache!.hits).toBe(402);
});

const payloadOf = (text: string) => Buffer.alloc(40, text.length === 0 ? 'x' : text);

test('it gives back what was put last, or nothing', () => {
  const fd = opened(folderOf(), 20_000);
  let hits = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 2 })), { maxLength: 100 }), (steps) => {
      const cache = new FeatureCache(fd, 'salt', 40);
      for (const [puts, text] of steps)
        if (puts) cache.put(text, payloadOf(text));
        else {
          const found = cache.get(text);
          if (found) expect(found.equals(payloadOf(text))).toBe(true);
        }
      hits += cache.hits;
    }),
  );
  expect(hits).toBeGreaterThan(0);
});

test('a molecule that was just put is there, however full the file is, and the file does not grow', () => {
  const folder = folderOf();
  const cache = new FeatureCache(opened(folder, 20_000), 'salt', 40);
  for (let i = 0; i < 5000; i++) {
    cache.put(`C${i}`, payloadOf(`C${i}`));
    expect(cache.get(`C${i}`)?.equals(payloadOf(`C${i}`))).toBe(true);
  }
  expect(statSync(join(folder, readdirSync(folder)[0]!)).size).toBe(20_000);
});

test('what was computed otherwise is not taken for the same', () => {
  const fd = opened(folderOf());
  new FeatureCache(fd, 'RDKit 1', 40).put('C', payloadOf('C'));
  expect(new FeatureCache(fd, 'RDKit 2', 40).get('C')).toBeNull();
  expect(new FeatureCache(fd, 'RDKit 1', 40).get('C')).not.toBeNull();
});

test('a slot that is torn or rotten is a miss, and is written again', () => {
  fc.assert(
    fc.property(fc.nat(20_000 - 1), fc.uint8Array({ minLength: 1, maxLength: 200 }), (at, rot) => {
      const fd = opened(folderOf(), 20_000);
      const cache = new FeatureCache(fd, 'salt', 40);
      for (let i = 0; i < 200; i++) cache.put(`C${i}`, payloadOf(`C${i}`));
      writeSync(fd, rot, 0, Math.min(rot.length, 20_000 - at), at);
      for (let i = 0; i < 200; i++) {
        const found = cache.get(`C${i}`);
        if (found) expect(found.equals(payloadOf(`C${i}`))).toBe(true);
        cache.put(`C${i}`, payloadOf(`C${i}`));
        expect(cache.get(`C${i}`)?.equals(payloadOf(`C${i}`))).toBe(true);
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

/** Puts and gets for as long as it lives, and says so when what it gets is not what anybody put. */
const busy = `
  import { openSync } from 'node:fs';
  import { setImmediate } from 'node:timers/promises';
  const { FeatureCache } = await import(process.argv[2]);
  const cache = new FeatureCache(openSync(process.argv[3], 'r+'), 'salt', 40);
  process.send('begun');
  for (let i = 0; ; i = (i + 7) % 300) {
    cache.put('C' + i, Buffer.alloc(40, 'C' + i));
    const found = cache.get('C' + i);
    if (found && !found.equals(Buffer.alloc(40, 'C' + i))) process.send('wrong');
    if (i % 50 === 0) await setImmediate();
  }`;

test('many processes write at once and are killed in the middle: nobody ever reads what nobody wrote', async () => {
  const folder = folderOf();
  const cache = new FeatureCache(opened(folder, 20_000), 'salt', 40);
  const file = join(folder, readdirSync(folder)[0]!);
  const program = join(folder, 'busy.mjs');
  writeFileSync(program, busy);
  const wrong: string[] = [];
  for (let round = 0; round < 3; round++) {
    const children = [1, 2, 3].map(() => {
      const child = fork(program, [new URL('feature-cache.ts', import.meta.url).href, file], { execArgv: ['--no-warnings'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      return child;
    });
    await Promise.all(children.map((child) => once(child, 'message')));
    for (const child of children) child.on('message', () => wrong.push('a process'));
    for (let i = 0; i < 10_000; i++) {
      const found = cache.get(`C${i % 300}`);
      if (found && !found.equals(payloadOf(`C${i % 300}`))) wrong.push('this one');
      if (i % 1000 === 0) await setImmediate();
    }
    await Promise.all(
      children.map((child) => {
        child.kill('SIGKILL');
        return once(child, 'exit');
      }),
    );
  }
  expect(wrong).toEqual([]);
  expect(cache.hits).toBeGreaterThan(1000);
});

test('files of other sizes make room; 0 bytes, or no folder, is no cache', () => {
  const folder = folderOf();
  opened(folder, 20_000);
  opened(folder, 40_000);
  expect(readdirSync(folder)).toEqual(['slots-1-40000']);
  expect(statSync(join(folder, 'slots-1-40000')).mode & 0o077).toBe(0);
  expect(openFeatureFile({ folder: join(folder, 'none'), bytes: 0 }, silent)).toBeNull();
  expect(existsSync(join(folder, 'none'))).toBe(false);
  // Below a file there is no folder.
  expect(openFeatureFile({ folder: join(folder, 'slots-1-40000', 'none'), bytes }, silent)).toBeNull();
});
