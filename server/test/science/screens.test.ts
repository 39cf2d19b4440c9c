import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ArchivedFile, LigandRecord, Screen, ScreenChild, ScreenSummary } from '@sluice/contract';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { silent } from '../../src/lib/log.ts';
import type { ModelSpec } from '../../src/models/models.ts';
import { gatherNext } from '../../src/screens/gather.ts';
import { executorOf } from '../../src/screens/records.ts';
import { call, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const sample = fileURLToPath(new URL('../../../examples/boltz-sample/boltz-sample.mjs', import.meta.url));

const boltz: ModelSpec = {
  name: 'boltz-2',
  version: '2.2.0',
  executor: 'boltz',
  options: {
    program: process.execPath,
    args: [sample],
    env: { BOLTZ_SAMPLE: JSON.stringify({ oom_always: ['BrCCBr'], bad: ['FC#CF'], oom: ['ClCCCl'] }) },
    max_attempts: 2,
  },
};

const sequence = 'MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQ';

/**
 * Twenty, one of which runs out of memory whatever is tried, one only beside others, one that Boltz-2 finds no conformer
 * of, and one that is no molecule at all.
 */
const ligands = [
  ...Array.from({ length: 15 }, (_, i) => ({ id: `lig-${i + 1}`, name: `alkane ${i + 1}`, smiles: 'C'.repeat(i + 1) })),
  { id: 'big', name: 'too large', smiles: 'BrCCBr' },
  { id: 'crowd', name: 'fits alone', smiles: 'ClCCCl' },
  { id: 'odd', name: '=cmd|calc', smiles: 'FC#CF' },
  { id: 'typo', name: 'an open ring', smiles: 'C1CC' },
  { id: 'atp', name: null, ccd: 'ATP' },
];

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    models: [boltz],
    timing: { leaseSeconds: 20 },
    keys: [
      { key: 'test-key', tenant: 'default', user: 'admin', role: 'admin' },
      { key: 'other-key', tenant: 'other', user: 'eve', role: 'admin' },
    ],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what a reply holds is said where it is asked for
const api = async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const reply = await call(sluice.client, method, path, body, headers);
  return { ...reply, body: reply.body as T };
};
const get = (path: string, key = 'test-key') => fetch(sluice.url + path, { headers: { authorization: `Bearer ${key}` } });
const create = async (body: object, headers: Record<string, string> = {}): Promise<Screen> => {
  const { status, body: screen } = await api<Screen>('POST', '/v1/screens', { protein: sequence, ...body }, headers);
  expect([status, screen]).toEqual([200, expect.objectContaining({ object: 'screen' })]);
  return screen;
};
/** Until its results are files. */
const gathered = async (id: string): Promise<Screen> => {
  const done = new Promise<void>((resolve) => {
    const look = ({ batchId }: { batchId: string }): void => {
      if (batchId !== id) return;
      sluice.scheduler.off('gathered', look);
      resolve();
    };
    sluice.scheduler.on('gathered', look);
  });
  await untilEnded(sluice.client, id);
  const screen = (await api<Screen>('GET', `/v1/screens/${id}`)).body;
  if (screen.results.status === 'ready') return screen;
  await done;
  return (await api<Screen>('GET', `/v1/screens/${id}`)).body;
};
const keysUnder = async (prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of sluice.storage.list(prefix)) keys.push(key.slice(prefix.length));
  return keys.toSorted();
};
const childrenOf = async (id: string, query = ''): Promise<ScreenChild[]> =>
  (await api<{ data: ScreenChild[] }>('GET', `/v1/batches/${id}/children?limit=100${query}`)).body.data;

test('twenty ligands, end to end: records, files, lists of the best, and what went wrong with three of them', async () => {
  const made = await create({ name: 'KRAS', ligands, parameters: { seed: 7 }, metadata: { project: 'p1' } });
  expect(made).toMatchObject({ ligands: 20, invalid: 1, proteins: [{ residues: sequence.length }], results: { status: 'pending' } });
  const screen = await gathered(made.id);
  expect(screen).toMatchObject({
    name: 'KRAS',
    model: 'boltz-2@2.2.0',
    status: 'completed',
    request_counts: { total: 20, completed: 17, failed: 3 },
    results: { status: 'ready', error: null },
    summary: { ligands: 20, by_status: { ok: 17, oom: 1, invalid: 2 } },
  });
  const summary = screen.summary!;

  const children = await childrenOf(made.id);
  expect(children.map(({ id }) => id)).toEqual(ligands.map(({ id }) => id));
  const [first, big, crowd, odd, typo, atp] = [0, 15, 16, 17, 18, 19].map((i) => children[i]!) as [
    ScreenChild,
    ScreenChild,
    ScreenChild,
    ScreenChild,
    ScreenChild,
    ScreenChild,
  ];
  expect(first).toMatchObject({
    status: 'ok',
    error: null,
    smiles_submitted: 'C',
    smiles_canonical: 'C',
    inchikey: 'VNWKTOKETHGBQD-UHFFFAOYSA-N',
    executor: 'boltz',
    params: { seed: 7, sampling_steps: 200 },
  });
  expect(first.pic50).toBeCloseTo(6 - first.affinity_pred_value!, 4);
  expect(first.ic50_um).toBeCloseTo(10 ** first.affinity_pred_value!, 3);
  expect(first.affinity_members).toHaveLength(2);
  expect(big).toMatchObject({ status: 'oom', attempts: 2, error: { code: 'out_of_memory' }, pic50: null });
  expect(odd).toMatchObject({ status: 'invalid', error: { code: 'invalid_request', message: expect.stringContaining('3D conformer') } });
  expect(typo).toMatchObject({ status: 'invalid', error: { message: expect.stringContaining('ring') }, smiles_canonical: null });
  expect(atp).toMatchObject({ status: 'ok', ccd: 'ATP', smiles_submitted: null });
  expect(crowd).toMatchObject({ id: 'crowd', status: 'ok' });

  // Two lists, each sorted by its own figure, ties by id.
  for (const [list, figure] of [
    [summary.top_by_probability, 'affinity_probability_binary'],
    [summary.top_by_pic50, 'pic50'],
  ] as const) {
    expect(list.map(({ id }) => id)).toEqual(
      children
        .filter(({ status }) => status === 'ok')
        .toSorted((a, b) => b[figure]! - a[figure]! || (a.id < b.id ? -1 : 1))
        .map(({ id }) => id),
    );
  }
  expect(summary.top_by_probability.map(({ id }) => id)).not.toEqual(summary.top_by_pic50.map(({ id }) => id));

  // The folder, as it is in storage.
  const files = ['input.json', 'logs.txt', 'metadata.json', 'results.json'];
  const folder = await keysUnder(`default/batches/${made.id}/`);
  expect(folder.filter((key) => !key.startsWith('jobs/'))).toEqual([
    'batch_index.json',
    'batch_metadata.json',
    'job_index.json',
    'results/batch_results.csv',
    'results/batch_results.json',
    'summary.json',
  ]);
  const inFolder = (child: ScreenChild) =>
    folder.filter((key) => key.startsWith(`jobs/${child.request}/`)).map((key) => key.split('/').slice(2).join('/'));
  expect(inFolder(first)).toEqual([...files, 'affinity.json', 'confidence.json', 'input.yaml', 'plddt.npz', 'structure.cif'].toSorted());
  expect(inFolder(odd)).toEqual([...files, 'input.yaml'].toSorted());
  // Of one that ran twice, the first attempt's log stays where it was.
  expect(inFolder(big).filter((name) => !name.includes('/'))).toEqual([...files, 'input.yaml'].toSorted());
  expect(
    inFolder(big)
      .filter((name) => name.includes('/'))
      .every((name) => /^\d+-1\//.test(name)),
  ).toBe(true);

  const download = async (name: string) => (await get(`/v1/batches/${made.id}/artifacts/${name}`)).text();
  const { results } = JSON.parse(await download('batch_results.json')) as { results: LigandRecord[] };
  expect(results).toEqual(children.map(({ artifacts: _, ...record }) => record));
  const csv = await download('batch_results.csv');
  const rows = parse(csv, { columns: true }) as Record<string, string>[];
  expect(rows.map(({ id }) => id)).toEqual(ligands.map(({ id }) => id));
  expect(Number(rows[0]!['pic50'])).toBe(first.pic50);
  expect(rows[17]).toMatchObject({ name: "'=cmd|calc", status: 'invalid', error_code: 'invalid_request', pic50: '' });
  expect(JSON.parse(await download('summary.json'))).toEqual({ batch_id: made.id, ...summary });
  const { jobs } = JSON.parse(await download('job_index.json')) as {
    jobs: { request: string; status: string; files: { name: string; sha256: string }[] }[];
  };
  expect(jobs.map(({ request, status }) => [request, status])).toEqual(children.map(({ request, status }) => [request, status]));
  const index = JSON.parse(await download('batch_index.json')) as { files: ArchivedFile[] };
  const newest = folder.filter((key) => !/\/\d+-\d+\//.test(key));
  expect(index.files.map(({ path }) => path).toSorted()).toEqual(newest.filter((key) => key !== 'batch_index.json'));
  expect(JSON.parse(await download('batch_metadata.json'))).toMatchObject({
    name: 'KRAS',
    ligands: 20,
    parameters: { seed: 7 },
    metadata: { project: 'p1' },
  });

  // What a ligand has is what the same route gives of any request.
  const structure = first.artifacts.find(({ name }) => name === 'structure.cif')!;
  const cif = await (await get(structure.url)).text();
  expect(cif).toContain('SAMPLE_NOT_A_PREDICTION');
  expect(first.structure_path).toBe(`jobs/${first.request}/structure.cif`);
  const log = big.artifacts.find(({ name }) => name === 'logs.txt')!;
  expect(await (await get(log.url)).text()).toContain('ran out of memory');

  // The archive has all of it, byte for byte, and outlives the batch.
  const archived = await api<{ data: ArchivedFile[] }>('GET', `/v1/archive/${made.id}`);
  expect(archived.body.data.map(({ path }) => path).toSorted()).toEqual(newest);
  expect(archived.body.data).toEqual(expect.arrayContaining(index.files));
  for (const path of [
    `/v1/screens/${made.id}`,
    `/v1/batches/${made.id}/children`,
    `/v1/archive/${made.id}`,
    `/v1/archive/${made.id}/content?path=summary.json`,
  ])
    expect((await get(path, 'other-key')).status).toBe(404);
  expect((await (await get('/v1/screens', 'other-key')).json()) as object).toMatchObject({ data: [] });
  expect((await (await get('/v1/archive', 'other-key')).json()) as object).toMatchObject({ data: [] });
  expect((await api('DELETE', `/v1/batches/${made.id}`)).status).toBe(200);
  expect(await keysUnder(`default/batches/${made.id}/`)).toEqual([]);
  const kept = await get(`/v1/archive/${made.id}/content?path=${encodeURIComponent(first.structure_path!)}`);
  expect([kept.headers.get('content-type'), await kept.text()]).toEqual(['chemical/x-mmcif', cif]);
  expect((await get(`/v1/archive/${made.id}/content?path=../../secret`)).status).toBe(404);
  expect((await api('DELETE', `/v1/archive/${made.id}`)).status).toBe(200);
  expect(await keysUnder(`default/archive/${made.id}/`)).toEqual([]);
});

test('ligands as text: SMILES with names, and a table; what is wrong keeps its place', async () => {
  const lines = await create({ ligands: 'CCO ethanol\n\nCC(=O)Oc1ccccc1C(=O)O\taspirin, acid\r\nCCN', affinity: false });
  expect(lines.ligands).toBe(3);
  const children = await childrenOf((await gathered(lines.id)).id);
  expect(children.map(({ id, name, status, affinity_pred_value: value }) => [id, name, status, value])).toEqual([
    ['ligand-1', 'ethanol', 'ok', null],
    ['ligand-2', 'aspirin, acid', 'ok', null],
    ['ligand-3', null, 'ok', null],
  ]);
  const table = await create({ ligands: 'ID,Name,SMILES,note\na,"x, y",CCO,1\n,,CCC,\nc,none,,\n' });
  expect(table).toMatchObject({ ligands: 3, invalid: 1 });
  const rows = await childrenOf((await gathered(table.id)).id);
  expect(rows.map(({ id, name, status, error }) => [id, name, status, error?.code ?? null])).toEqual([
    ['a', 'x, y', 'ok', null],
    ['ligand-2', null, 'ok', null],
    ['c', 'none', 'invalid', 'invalid_input'],
  ]);
  expect((await childrenOf(table.id, '&status=invalid')).map(({ id }) => id)).toEqual(['c']);
});

test.each<[string, object, string, string]>([
  ['a protein with a letter that is none', { protein: 'MTEJ', ligands: ['C'] }, 'protein', "'J' at residue 4"],
  ['no protein', { protein: undefined, ligands: ['C'] }, 'protein', 'either `protein` or `proteins`'],
  [
    'a parameter out of range',
    { ligands: ['C'], parameters: { sampling_steps: 0 } },
    'parameters.sampling_steps',
    'parameters.sampling_steps',
  ],
  ['an unknown parameter', { ligands: ['C'], parameters: { steps: 1 } }, 'parameters.steps', 'is not known'],
  ['a pocket of no chain', { ligands: ['C'], pocket: { contacts: [['Z', 1]] } }, 'pocket.contacts', "chain 'Z'"],
  [
    'an id twice',
    {
      ligands: [
        { id: 'a', smiles: 'C' },
        { id: 'a', smiles: 'N' },
      ],
    },
    'ligands.1.id',
    'is there twice',
  ],
  ['invalid ligands, where they are to be refused', { ligands: ['C', ''], invalid: 'refuse' }, 'ligands.1', '1 of 2 ligands'],
  [
    'a ligand that is no molecule, with its name and why,',
    { ligands: ['C', { id: 'x-2', name: 'typo', smiles: 'C1CC' }], invalid: 'refuse' },
    'ligands.1',
    "1 of 2 ligands cannot be run. Ligand 2 ('x-2', typo): ",
  ],
  ['Parquet, also where a line of it looks like a ligand,', { ligands: 'PAR1\nCCO\n\0' }, 'ligands', 'are no text'],
  ['a packed file', { ligands: '\u001f\u008b\u0008\u0000\nCCO' }, 'ligands', 'are no text'],
  ['only invalid ligands', { ligands: [{ id: 'x' }] }, 'ligands.0', '1 of 1 ligands'],
  ['a model that is something else', { model: 'nothing', ligands: ['C'] }, 'model', 'does not exist'],
  ['a deadline that has passed', { ligands: ['C'], deadline: 1 }, 'deadline', 'a minute or more'],
])('%s is refused with its place, and nothing is kept', async (_, body, param, message) => {
  const files = await sluice.client.files.list();
  const { status, body: reply } = await api<{ error: { param: string; message: string } }>('POST', '/v1/screens', {
    protein: sequence,
    ...body,
  });
  expect([status >= 400 && status < 500, reply.error.param]).toEqual([true, param]);
  expect(reply.error.message).toContain(message);
  expect((await sluice.client.files.list()).data).toHaveLength(files.data.length);
});

test('ligands out of an SD file: its records are the molecules, with their names', async () => {
  const file = await readFile(new URL('files/cdk2.sdf', import.meta.url), 'utf8');
  const two = file.split(/^\$\$\$\$\r?\n/m).slice(0, 2);
  const broken = 'cut off\n\n\n  1  0  0     0  0            999 V2000\n';
  const screen = await create({ ligands: [...two, broken].map((record) => `${record}$$$$\n`).join('') });
  expect(screen).toMatchObject({ ligands: 3, invalid: 1 });
  await untilEnded(sluice.client, screen.id);
  const { data } = (await api<{ data: ScreenChild[] }>('GET', `/v1/batches/${screen.id}/children`)).body;
  // Both have their name in a field `id` as well.
  expect(data.map(({ id, name, status }) => [id, name, status])).toEqual([
    ['ZINC03814457', 'ZINC03814457', 'ok'],
    ['ZINC03814459', 'ZINC03814459', 'ok'],
    ['ligand-3', 'cut off', 'invalid'],
  ]);
  expect(data[0]!.smiles_submitted).toBe(data[0]!.smiles_canonical);
  expect(data[0]!.inchikey).toMatch(/^[A-Z]{14}-[A-Z]{10}-[A-Z]$/);
  expect(data[2]!.error?.message).toContain("The record has no 'M  END'");
});

test('the same Idempotency-Key gives the same screen', async () => {
  const headers = { 'idempotency-key': 'screen-1' };
  const one = await create({ ligands: ['C'] }, headers);
  expect((await create({ ligands: ['C'] }, headers)).id).toBe(one.id);
  expect((await api('POST', '/v1/screens', { protein: sequence, ligands: ['N'] }, headers)).status).toBe(409);
  await gathered(one.id);
  const list = (await api<{ data: Screen[] }>('GET', '/v1/screens?limit=1')).body.data;
  expect(list.map(({ id, object }) => [id, object])).toEqual([[one.id, 'screen']]);
});

test('a cancelled screen is gathered too; other batches have no children', async () => {
  const screen = await create({ ligands: ['C', 'CC'], pool: undefined });
  await call(sluice.client, 'POST', `/v1/batches/${screen.id}/cancel`, {});
  const done = await gathered(screen.id);
  expect(done.results.status).toBe('ready');
  const statuses = (await childrenOf(screen.id)).map(({ status }) => status);
  expect(statuses.every((status) => status === 'skipped' || status === 'ok')).toBe(true);
  const batch = await createBatch(
    sluice.client,
    [{ custom_id: 'a', method: 'POST', url: '/v1/predict', body: { model: 'boltz-2', inputs: { protein: sequence, smiles: 'C' } } }],
    { endpoint: '/v1/predict' },
  );
  await untilEnded(sluice.client, batch.id);
  expect((await api('GET', `/v1/batches/${batch.id}/children`)).status).toBe(409);
  expect((await api('GET', `/v1/screens/${batch.id}`)).status).toBe(404);
});

test('whoever gathers and dies is followed by another, who writes the same; who was too slow shows nothing', async () => {
  const screen = await create({ ligands: ['C', 'CC', 'CCC'] });
  await gathered(screen.id);
  const before = await keysUnder(`default/batches/${screen.id}/`);
  const text = async () => (await get(`/v1/batches/${screen.id}/artifacts/batch_index.json`)).text();
  const index = await text();
  const { no } = await sluice.db.one<{ no: number }>(sql`select no from batches where id = ${screen.id}`);
  const again = sql`update screens set gathered_at = null, summary = null, token = null, leased_until = null where batch_no = ${no}`;
  await sluice.scheduler.stop();
  try {
    const deps = { db: sluice.db, storage: sluice.storage, log: silent, leaseSeconds: 5, executorOf: executorOf(sluice.models) };
    await sluice.db.run(again);
    await sluice.db.run(sql`delete from artifacts where batch_no = ${no} and line = 0`);
    // In the middle of it another takes over.
    const slow = {
      ...deps,
      storage: Object.assign(Object.create(sluice.storage) as typeof sluice.storage, {
        put: async (...given: Parameters<typeof sluice.storage.put>) => {
          if (given[0].endsWith('summary.json'))
            await sluice.db.run(sql`update screens set token = nextval('lease_token') where batch_no = ${no}`);
          return sluice.storage.put(...given);
        },
      }),
    };
    expect(await gatherNext(slow, new AbortController().signal)).toMatchObject({ result: 'lost' });
    expect((await api<Screen>('GET', `/v1/screens/${screen.id}`)).body.results).toMatchObject({ status: 'pending', artifacts: [] });
    await sluice.db.run(again);
    expect(await gatherNext(deps, new AbortController().signal)).toMatchObject({ result: 'gathered' });
    expect(await text()).toBe(index);
    expect(await keysUnder(`default/batches/${screen.id}/`)).toEqual(before);
    // A batch that is deleted while it is gathered leaves nothing behind.
    await sluice.db.run(again);
    const deleting = {
      ...deps,
      storage: Object.assign(Object.create(sluice.storage) as typeof sluice.storage, {
        put: async (...given: Parameters<typeof sluice.storage.put>) => {
          if (given[0].endsWith('summary.json')) await api('DELETE', `/v1/batches/${screen.id}`);
          return sluice.storage.put(...given);
        },
      }),
    };
    expect(await gatherNext(deleting, new AbortController().signal)).toMatchObject({ result: 'lost' });
    expect(await keysUnder(`default/batches/${screen.id}/`)).toEqual([]);
  } finally {
    sluice.scheduler.start();
  }
});

const byStatus = (summary: ScreenSummary | null): Record<string, number> => summary?.by_status ?? {};

test('children of a screen are run in one process, however slow the model is thought to be', async () => {
  const screen = await create({ ligands: Array.from({ length: 6 }, (_, i) => 'N'.repeat(i + 1)) });
  expect(byStatus((await gathered(screen.id)).summary)).toEqual({ ok: 6 });
  const [child] = await childrenOf(screen.id);
  const log = child!.artifacts.find(({ name }) => name === 'logs.txt')!;
  expect(await (await get(log.url)).text()).toContain('Processing 6 inputs');
});
