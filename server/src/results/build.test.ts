import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newBatchId, requestId } from '../lib/ids.ts';
import type { Row } from './duck.ts';
import type { BuildTask, Built } from './facts.ts';
import { DuckProcess } from './process.ts';
import { rowText } from './replies.ts';

const batch = newBatchId();
const input = (id: string, inputs: string): string =>
  `{"custom_id":"${id}","method":"POST","url":"/v1/predict","body":{"model":"m","inputs":${inputs}}}`;
const output = (line: number, id: string, outputs: string): string =>
  `{"id":"${requestId(batch, line)}","custom_id":"${id}","response":{"status_code":200,"request_id":"r","body":{"id":"p","model":"m","version":"1.0.0","outputs":${outputs}}},"error":null}\n`;
const error = (line: number, id: string, code: string): string =>
  `{"id":"${requestId(batch, line)}","custom_id":"${id}","response":null,"error":{"code":"${code}","message":"why"}}\n`;

/** The table of these files, in a process of its own, and its rows as DuckDB writes them. */
const made = async (lines: string, outputs: string, errors: string | null, total: number): Promise<{ built: Built; rows: string[] }> => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-build-'));
  try {
    const at = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const answers = { label: null, output: await at('output', outputs), errors: errors === null ? null : await at('errors', errors) };
    await using duck = new DuckProcess({ folder });
    const task: BuildTask = {
      do: 'build',
      folder,
      total,
      input: { lines: await at('input', lines) },
      answers: [answers],
      shape: 'predictions',
      models: true,
      lineBytes: 16 << 20,
    };
    const built = await duck.ask<Built>(task);
    const rows = await duck.ask<Row[]>({ do: 'rows', ...rowText({ sql: `select * from read_parquet('${built.path}')`, values: [] }) });
    return { built, rows: rows.map(({ row }) => row as string) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

test('keys that differ in case, empty ones, integers of any length, rows that ended otherwise', async () => {
  // A byte order mark, line ends of two kinds and none at the end, as the intake takes them.
  const lines = `\uFEFF${input('a', '{"a":1,"big":12345678901234567890123,"u":18446744073709551615,"t":"é\\u0000x","A":"case","":5}')}\r\n${input('b', '{"big":1}')}\n${input('c', '{"a":1.5}')}\n${input('d', '{}')}`;
  const { built, rows } = await made(
    lines,
    output(1, 'a', '{"y":-1.25,"big":12345678901234567890123,"status":"x"}') + output(4, 'd', '{"y":3,"v":[1,2],"o":{"k":null}}'),
    error(2, 'b', 'batch_expired') + error(3, 'c', 'batch_cancelled'),
    4,
  );
  expect(built.counts).toMatchObject({ completed: 2, failed: 0, cancelled: 1, expired: 1 });
  expect(built.columns.map(({ name, type, role }) => `${name} ${type} ${role}`)).toEqual([
    'line integer line',
    'custom_id text custom_id',
    'a number input',
    'big integer input',
    'u integer input',
    't text input',
    'input.A text input',
    'unnamed integer input',
    'status text status',
    'model text model',
    'y number output',
    'output.big integer output',
    'v json output',
    'o json output',
    'output.status text output',
    'error_code text error',
    'error_message text error',
  ]);
  expect(rows[0]).toBe(
    '{"line":1,"custom_id":"a","a":1.0,"big":12345678901234567890123,"u":18446744073709551615,"t":"é\\u0000x","input.A":"case","unnamed":5,"status":"completed","model":"m@1.0.0","y":-1.25,"output.big":12345678901234567890123,"v":null,"o":null,"output.status":"x","error_code":null,"error_message":null}',
  );
  expect(rows.slice(1, 3).map((row) => JSON.parse(row) as Row)).toEqual([
    expect.objectContaining({ line: 2, big: 1, status: 'expired', error_code: 'batch_expired', y: null }),
    expect.objectContaining({ line: 3, a: 1.5, status: 'cancelled', error_code: 'batch_cancelled', model: null }),
  ]);
  expect(JSON.parse(rows[3]!)).toMatchObject({ line: 4, v: [1, 2], o: { k: null }, a: null });
});

test('outputs that are no objects are one column of JSON', async () => {
  const { rows } = await made(
    `${input('a', '[1,2]')}\n${input('b', '"text"')}\n`,
    output(1, 'a', '[0.5]') + output(2, 'b', '{"x":1}'),
    null,
    2,
  );
  expect(rows.map((row) => JSON.parse(row) as Row)).toEqual([
    expect.objectContaining({ inputs: [1, 2], outputs: [0.5] }),
    expect.objectContaining({ inputs: 'text', outputs: { x: 1 } }),
  ]);
});

test('halves that do not fit make no table', async () => {
  await expect(
    made(`${input('a', '{}')}\n${input('b', '{}')}\n`, output(1, 'a', '{}') + output(2, 'other', '{}'), null, 2),
  ).rejects.toThrow('row 2 do not fit');
  await expect(made(`${input('a', '{}')}\n`, output(1, 'a', '{}') + output(2, 'b', '{}'), null, 2)).rejects.toThrow('do not fit');
});
