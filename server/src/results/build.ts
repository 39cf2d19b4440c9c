import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { writeAnswers } from './answers.ts';
import { oneOf, rowsOf } from './duck.ts';
import type { BuildTask, Built } from './facts.ts';
import { Names, type Column, type ColumnRole } from './layout.ts';
import { jsonLines, look, within, type Objects, type Read } from './look.ts';
import { identifier, literal } from './quoted.ts';

/**
 * Makes the table of results of one batch. Two halves are written as Parquet, what went in and what came out, each in
 * the order of the input, and then laid side by side: nothing is sorted and nothing hashed, so that memory stays flat at
 * any number of rows. That both halves tell of the same row is checked in each row.
 */
export const build = async (duck: DuckDBConnection, task: BuildTask): Promise<Built> => {
  const at = (name: string): string => join(task.folder, name);
  const names = new Names();
  for (const own of ['line', 'custom_id', 'status', 'error_code', 'error_message', ...(task.models ? ['model'] : [])]) names.take(own);
  // The next file is walked through while DuckDB writes what was in the one before.
  let next = answersOf(duck, task, 0);
  const left =
    'rows' in task.input
      ? await givenRows(duck, task.input.rows, names)
      : await inputsOf(duck, task, await withoutMark(task.input.lines, at('input-plain.jsonl')), names, at('inputs.parquet'));
  const right: Half[] = [];
  for (const [i, { label }] of task.answers.entries()) {
    const answers = await next;
    if (i + 1 < task.answers.length) next = answersOf(duck, task, i + 1);
    right.push(await outputsOf(duck, task, answers, label, names, { to: at(`outputs-${i}.parquet`), as: `o${i}` }));
    if (answers.made) await rm(answers.file);
  }
  const became = task.answers.length === 1 ? becameOfOne : becameOfAll(task.answers.map(({ label }) => label ?? ''));
  const columns: Column[] = [
    { name: 'line', type: 'integer', role: 'line' },
    { name: 'custom_id', type: 'text', role: 'custom_id' },
    ...left.columns,
    { name: 'status', type: 'text', role: 'status' },
    ...(task.models ? [{ name: 'model', type: 'text' as const, role: 'model' as const }] : []),
    ...right.flatMap((half) => half.columns),
    { name: 'error_code', type: 'text', role: 'error' },
    { name: 'error_message', type: 'text', role: 'error' },
  ];
  const path = at('results.parquet');
  const same = right.flatMap((_, i) => [
    `i.custom_id = o${i}.custom_id`,
    `o${i}.line is not null`,
    ...(left.lines ? [`i.line = o${i}.line`] : []),
    ...(i > 0 ? [`o${i}.line = o0.line`] : []),
  ]);
  const wrong = `error('the halves of row ' || coalesce(cast(o0.line as varchar), '?') || ' do not fit')`;
  await duck.run(`
    copy (
      select o0.line as line, case when ${same.join(' and ')} then o0.custom_id else ${wrong} end as custom_id,
        ${left.select.map((each) => `${each}, `).join('')} ${became.status} as status, ${task.models ? 'o0.model as model, ' : ''}
        ${right.flatMap(({ select }) => select.map((each) => `${each}, `)).join('')} ${became.code} as error_code, ${became.message} as error_message
      from read_parquet(${literal(left.path)}) i ${right.map((half, i) => `positional join read_parquet(${literal(half.path)}) o${i}`).join(' ')})
    to ${literal(path)} (format parquet)`);
  const counts = await oneOf(
    duck,
    `select count(*)::double as all, ${['completed', 'failed', 'cancelled', 'expired'].map((s) => `(count(*) filter (status = '${s}'))::double as ${s}`).join(', ')}
     from read_parquet(${literal(path)})`,
  );
  if (counts['all'] !== task.total) throw new Error(`the table has ${String(counts['all'])} rows of ${task.total}`);
  return { path, columns, counts: counts as unknown as Built['counts'] };
};

const becameOfOne = { status: 'o0.status', code: 'o0.error_code', message: 'o0.error_message' };

/** A row has completed where every model answered it; else it failed, expired or was cancelled, as the worst of them did. */
const becameOfAll = (labels: readonly string[]): typeof becameOfOne => {
  const states = labels.map((_, i) => `o${i}.status`).join(', ');
  const worst = `case ${['failed', 'expired', 'cancelled'].map((state) => `when '${state}' in (${states}) then '${state}'`).join(' ')} else 'completed' end`;
  const of = (what: (i: number) => string): string => labels.map((_, i) => `if(o${i}.status = ${worst}, ${what(i)}, null)`).join(', ');
  const codes = of((i) => `o${i}.error_code`);
  return {
    status: worst,
    code: `if(least(${codes}) = greatest(${codes}), least(${codes}), if(least(${codes}) is null, null, 'model_failed'))`,
    // What all of them say is said once: a row that was refused before any ran.
    message: `if(${labels.length > 1 ? labels.map((_, i) => `o${i}.error_message = o0.error_message`).join(' and ') : 'false'}, o0.error_message,
      nullif(concat_ws(' ', ${of((i) => `${literal(`${labels[i]!}: `)} || o${i}.error_message`)}), ''))`,
  };
};

/** The file, or a copy of it without the byte order mark that DuckDB would not read. */
const withoutMark = async (path: string, copy: string): Promise<string> => {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(3), 0, 3, 0);
  if (buffer.toString('latin1') !== '\u00EF\u00BB\u00BF') return path;
  await pipeline(createReadStream(path, { start: 3, highWaterMark: 1 << 20 }), createWriteStream(copy, { mode: 0o600 }));
  return copy;
};

interface Answers {
  file: string;
  /** On the way, of two files. */
  made: boolean;
  read: Read;
}

/** The answers of one model to all lines, and how they are read. Whoever waits for them hears why they cannot be had. */
const answersOf = (duck: DuckDBConnection, task: BuildTask, i: number): Promise<Answers> => {
  const { output, errors } = task.answers[i]!;
  const file = errors === null ? output! : join(task.folder, `answers-${i}.jsonl`);
  const found = (async (): Promise<Answers> => {
    if (errors !== null) await writeAnswers(output, errors, task.total, file);
    return { file, made: errors !== null, read: await look(duck, { file, path: answerPath(task), lineBytes: task.lineBytes }) };
  })();
  found.catch(() => {});
  return found;
};

const answerPath = ({ shape }: BuildTask): Objects['path'] =>
  shape === 'predictions' ? ['response', 'body', 'outputs'] : ['response', 'body'];

/** What is written on the way is read once: to compress it costs more than it saves. */
const onTheWay = '(format parquet, compression uncompressed)';

interface Half {
  path: string;
  columns: Column[];
  /** Its columns, as the table has them. */
  select: string[];
  /** Its rows know their lines. */
  lines: boolean;
}

const asColumns = (read: Read, names: Names, role: ColumnRole, prefix: string): Column[] =>
  read.fields.map(({ field: { key, type } }) => {
    const name = names.take(key, prefix);
    return { name, type, role, ...(name !== key && { key }) };
  });

/** The inputs of requests that came as lines. */
const inputsOf = async (duck: DuckDBConnection, task: BuildTask, lines: string, names: Names, to: string): Promise<Half> => {
  const path: Objects['path'] = task.shape === 'predictions' ? ['body', 'inputs'] : ['body'];
  const read = await look(duck, { file: lines, path, lineBytes: task.lineBytes });
  const columns = asColumns(read, names, 'input', 'input');
  const from = jsonLines(lines, { custom_id: 'VARCHAR', body: within(path.slice(1), read.type) }, task.lineBytes);
  const value = path.map(identifier).join('.');
  const list = read.fields.map(({ sql }, i) => `, ${sql(value)} as c${i}`);
  await duck.run(`copy (select custom_id${list.join('')} from ${from}) to ${literal(to)} ${onTheWay}`);
  return { path: to, columns, select: columns.map(({ name }, i) => `i.c${i} as ${identifier(name)}`), lines: false };
};

/** What the rows' Parquet has beside the columns of the table that was sent; the others are told of elsewhere, or of no use here. */
const found: ReadonlySet<string> = new Set(['smiles_canonical', 'inchikey', 'duplicate_of', 'flags']);
const told: ReadonlySet<string> = new Set(['line', 'custom_id', 'problem']);

/** The rows that the requests were made of, with all the columns they came with. */
const givenRows = async (duck: DuckDBConnection, path: string, names: Names): Promise<Half> => {
  const described = await rowsOf(duck, `describe select * from read_parquet(${literal(path)})`);
  const all = described.map((row) => ({ name: String(row['column_name']), type: String(row['column_type']) }));
  const given = all.filter(({ name }) => !told.has(name) && !found.has(name));
  const made = all.filter(({ name }) => found.has(name));
  // What was not looked for has no column.
  const counts =
    made.length === 0
      ? {}
      : await oneOf(
          duck,
          `select ${made.map(({ name }) => `count(${name})::double as ${name}`).join(', ')} from read_parquet(${literal(path)})`,
        );
  const shown = [
    ...given.map((each) => ({ ...each, role: 'carried' as const })),
    ...made.filter(({ name }) => counts[name] !== 0).map((each) => ({ ...each, role: 'input' as const })),
  ];
  const columns = shown.map(({ name, type, role }): Column => ({ name: names.take(name, 'input'), type: typeOf(type), role }));
  const select = columns.map(({ name, type }, i) => {
    const own = `i.${identifier(shown[i]!.name)}`;
    return `${type === 'json' ? `to_json(${own})` : type === 'text' ? `cast(${own} as varchar)` : own} as ${identifier(name)}`;
  });
  return { path, columns, select, lines: true };
};

/** What a type of DuckDB's is to a client. */
const typeOf = (type: string): Column['type'] => {
  if (/\[|^(STRUCT|MAP|UNION|JSON)/.test(type)) return 'json';
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(\d+,0\))$/.test(type)) return 'integer';
  if (/^(DOUBLE|FLOAT|DECIMAL)/.test(type)) return 'number';
  return type === 'BOOLEAN' ? 'boolean' : 'text';
};

/** What came of each line, and the outputs of those that completed. */
const outputsOf = async (
  duck: DuckDBConnection,
  task: BuildTask,
  { file, read }: Answers,
  label: string | null,
  names: Names,
  { to, as }: { to: string; as: string },
): Promise<Half> => {
  const state: Column[] = label === null ? [] : [{ name: names.take(`${label}.status`), type: 'text', role: 'status', model: label }];
  const outputs =
    label === null
      ? asColumns(read, names, 'output', 'output')
      : read.fields.map(({ field: { key, type } }): Column => ({
          name: names.take(`${label}.${key}`),
          type,
          role: 'output',
          key,
          model: label,
        }));
  const body = task.shape === 'predictions' ? `STRUCT(model VARCHAR, version VARCHAR, outputs ${read.type})` : read.type;
  const from = jsonLines(
    file,
    { id: 'VARCHAR', custom_id: 'VARCHAR', response: `STRUCT(body ${body})`, error: 'STRUCT(code VARCHAR, message VARCHAR)' },
    task.lineBytes,
  );
  const value = answerPath(task).map(identifier).join('.');
  const list = read.fields.map(({ sql }, i) => `, ${sql(value)} as c${i}`);
  const model = task.models ? `, response.body.model || coalesce('@' || response.body.version, '') as model` : '';
  await duck.run(`
    copy (
      select cast('0x' || right(id, 8) as integer) as line, custom_id,
        case error.code when 'batch_cancelled' then 'cancelled' when 'batch_expired' then 'expired' else if(error is null, 'completed', 'failed') end as status
        ${model}${list.join('')}, error.code as error_code, error.message as error_message
      from ${from})
    to ${literal(to)} ${onTheWay}`);
  const select = [
    ...state.map(({ name }) => `${as}.status as ${identifier(name)}`),
    ...outputs.map(({ name }, i) => `${as}.c${i} as ${identifier(name)}`),
  ];
  return { path: to, columns: [...state, ...outputs], select, lines: true };
};
