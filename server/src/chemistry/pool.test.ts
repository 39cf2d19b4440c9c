import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { isAlive } from '../lib/processes.ts';
import { openChemistry, type ChemistrySettings } from './chemistry.ts';
import { Pool } from './pool.ts';

const settings = {
  log: silent,
  processes: 2,
  timeoutMs: 10_000,
  recycleAfter: 50_000,
  idleMs: 60_000,
  memoryLimitMb: 1024,
  features: null,
};

const scratchFolder = () => {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-chemistry-'));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  return scratch;
};
const opened = (others: Partial<ChemistrySettings> = {}) => {
  const chemistry = openChemistry({ ...settings, ...others, scratch: scratchFolder() });
  onTestFinished(() => chemistry[Symbol.asyncDispose]());
  return chemistry;
};

/** Chains of different lengths: row i has i % 40 + 1 carbons. */
const chains = (count: number) => Array.from({ length: count }, (_, i) => 'C'.repeat((i % 40) + 1));
const chained = (checked: readonly { ok: boolean; smiles?: string }[]) =>
  checked.every(({ smiles }, i) => smiles === 'C'.repeat((i % 40) + 1));

test('row i out is row i in, whatever else is in it, and several calls go on beside each other', async () => {
  const chemistry = opened();
  const rows = chains(3000);
  const hostile = ['', 'C'.repeat(700), 'x'.repeat(10_000_000), 'CC(', 'C(C)(C)(C)(C)C', 'CCO\0'];
  const [plain, mixed, short] = await Promise.all([
    chemistry.check(rows),
    chemistry.check(hostile.flatMap((bad) => [bad, 'CCO'])),
    chemistry.check(rows.slice(0, 500), { inchikey: false, urgent: true }),
  ]);
  expect(plain).toHaveLength(3000);
  expect(chained(plain)).toBe(true);
  expect(chained(short)).toBe(true);
  expect(short.every((row) => row.ok && row.inchikey === null)).toBe(true);
  expect(mixed.map((row) => (row.ok ? row.smiles : row.code))).toEqual(
    ['empty_smiles', 'smiles_too_large', 'smiles_too_large', 'invalid_smiles', 'invalid_chemistry', 'invalid_smiles'].flatMap((code) => [
      code,
      'CCO',
    ]),
  );
  expect(await chemistry.check([])).toEqual([]);
});

test('processes killed in the middle cost nothing but time', async () => {
  const chemistry = opened();
  const rows = chains(4000);
  const all = chemistry.check(rows);
  // One row may be under way in each of them.
  const killed = new Set<number>();
  const kill = setInterval(() => {
    for (const pid of chemistry.pids) {
      if (killed.has(pid) || killed.size === 3) continue;
      killed.add(pid);
      process.kill(pid, 'SIGKILL');
    }
  }, 50);
  try {
    expect(chained(await all)).toBe(true);
  } finally {
    clearInterval(kill);
  }
  expect(killed.size).toBeGreaterThan(1);
});

/** What RDKit makes of rows that the limits keep from it. */
const unguarded = (scratch: string, timeoutMs: number, processes = 1) => {
  const pool = new Pool({ ...settings, processes, timeoutMs, scratch });
  onTestFinished(() => pool.end());
  return (rows: string[]) =>
    pool.run(rows, { operation: 'check', options: { unguarded: true }, failed: (message) => ({ ok: false, message }) }) as Promise<
      { ok: boolean; smiles?: string; message?: string }[]
    >;
};

test('a molecule that hangs RDKit, and one that breaks it, fail alone', async () => {
  const check = unguarded(scratchFolder(), 1500);
  const [hangs, breaks] = ['C'.repeat(700), 'C'.repeat(1500)];
  const rows = await check([...chains(20), hangs, ...chains(20), breaks, ...chains(20)]);
  expect(rows[20]).toEqual({ ok: false, message: 'RDKit was not done with it within 1500 ms.' });
  expect(rows[41]).toMatchObject({ ok: false, message: expect.stringMatching(/^RDKit broke on it: /) as string });
  for (const [from, to] of [
    [0, 20],
    [21, 41],
    [42, 62],
  ])
    expect(chained(rows.slice(from, to))).toBe(true);
});

test('behind a molecule that hangs RDKit others wait no longer than another process takes to start', async () => {
  const check = unguarded(scratchFolder(), 4_000, 2);
  await check(['C']);
  const ended: string[] = [];
  const told = async (name: string, smiles: string) => {
    await check([smiles]);
    ended.push(name);
  };
  // Of one process, which holds two messages: this one is at work, the next waits behind it, and the third is for somebody else.
  await Promise.all([told('hangs', 'C'.repeat(700)), told('behind it', 'CC'), told('another', 'CCC')]);
  expect(ended[0]).toBe('another');
});

test('a process gives way to a new one after so many molecules', async () => {
  const chemistry = opened({ processes: 1, recycleAfter: 1000 });
  const seen = new Set<number>();
  for (let i = 0; i < 4; i++) {
    expect(chained(await chemistry.check(chains(600), { inchikey: false }))).toBe(true);
    for (const pid of chemistry.pids) seen.add(pid);
  }
  expect(seen.size).toBeGreaterThan(1);
});

test('work that is done before another process has started is left to the one there is', async () => {
  const chemistry = opened();
  await chemistry.check(chains(100));
  await chemistry.check(chains(100));
  expect(chemistry.pids).toHaveLength(1);
  await chemistry.check(chains(10_000));
  expect(chemistry.pids).toHaveLength(2);
});

test('a call can be given up, and the others go on', async () => {
  const chemistry = opened();
  const giveUp = new AbortController();
  const lost = chemistry.check(chains(20_000), { signal: giveUp.signal });
  const kept = chemistry.check(chains(200));
  giveUp.abort(new Error('not wanted any more'));
  await expect(lost).rejects.toThrow('not wanted any more');
  expect(chained(await kept)).toBe(true);
});

test('its processes end with it, and leave nothing behind', async () => {
  const scratch = scratchFolder();
  const chemistry = openChemistry({ ...settings, scratch });
  await chemistry.check(chains(50));
  const { pids } = chemistry;
  expect(pids.length).toBeGreaterThan(0);
  expect(chemistry.memory).toBeGreaterThan(0);
  await chemistry[Symbol.asyncDispose]();
  expect(pids.filter(isAlive)).toEqual([]);
  expect(readdirSync(scratch)).toEqual([]);
  await expect(chemistry.check(['C'])).rejects.toThrow('ended');
});

test('where no process can be started, calls reject', async () => {
  const chemistry = opened({ memoryLimitMb: 10 });
  await expect(chemistry.check(['C'])).rejects.toThrow('RDKit did not start');
});
