import type { DuckDBConnection } from '@duckdb/node-api';
import { identifier, literal, oneOf, rowsOf } from './duck.ts';
import { BadTable, type Ask, type Written } from './facts.ts';
import { columnNames } from './rows.ts';
import type { Typed } from './typed.ts';

/** Columns of the rows' Parquet that are ours; those of the table that have the same name are called otherwise. */
export const ownColumns = ['line', 'custom_id', 'smiles_canonical', 'inchikey', 'duplicate_of', 'flags', 'problem'];

/** The columns of a table, by the names they have in the rows' Parquet. */
export const carriedNames = (names: readonly string[]): string[] => columnNames([...ownColumns, ...names]).slice(ownColumns.length);

/** Characters of a row's name that are kept. */
const idLength = 400;

type Write = Extract<Ask, { do: 'write' }>;

/**
 * Writes the rows, the requests made of them and the list of those that must not run. Row i of the table is row i of the
 * Parquet and line i of the requests, whatever it holds.
 */
export const writeTable = async (duck: DuckDBConnection, typed: Typed, write: Write): Promise<Written> => {
  await writeRows(duck, typed, write);
  const rows = `read_parquet(${literal(write.rows)})`;
  await writeRequests(duck, typed, write, rows);
  // What was found wrong with a molecule is what a model would have said of it.
  const wrong = write.checked === null ? null : `(select line from ${checkedRows(write.checked)} where problem is not null)`;
  const code = wrong === null ? "'invalid_row'" : `case when line in ${wrong} then 'invalid_input' else 'invalid_row' end`;
  await duck.run(
    `copy (select line, ${code} as code, problem as message from ${rows} where problem is not null) to ${literal(write.refused)} (format json)`,
  );
  const { refused, duplicates } = await oneOf(
    duck,
    `select count(problem)::double as refused, count(duplicate_of)::double as duplicates from ${rows}`,
  );
  const flags = await rowsOf(duck, `select flag, count(*)::double as count from (select unnest(flags) as flag from ${rows}) group by flag`);
  return {
    refused: refused as number,
    duplicates: duplicates as number,
    flags: Object.fromEntries(flags.map(({ flag, count }) => [String(flag), count as number])),
  };
};

const place = ({ columns }: Typed, name: string): string => {
  const found = columns.findIndex((column) => column.name === name);
  if (found < 0) throw new BadTable(`The table has no column '${name}'.`);
  return `c${found}`;
};

const checkedRows = (path: string): string =>
  `read_json(${literal(path)}, format = 'newline_delimited', columns = {line: 'bigint', smiles: 'varchar', inchikey: 'varchar', flags: 'varchar[]', problem: 'varchar'})`;

const isReal = (type: string): boolean => type === 'DOUBLE' || type === 'FLOAT';
/** Lists and the like, in which numbers may be that JSON has not. */
const mayHoldReal = (type: string): boolean => /DOUBLE|FLOAT/.test(type) && !isReal(type);

const writeRows = async (duck: DuckDBConnection, typed: Typed, { mapping, checked, rows }: Write): Promise<void> => {
  const id = mapping.id === null ? null : place(typed, mapping.id);
  const named = id === null ? null : `nullif(left(replace(trim(cast(${id} as varchar)), chr(0), ''), ${idLength}), '')`;
  const ids = `coalesce(${named ?? 'null'}, 'row-' || line)`;
  const sorted = id !== null && (await areAscending(duck, typed, id));
  const unique = named === null || sorted || (await areUnique(duck, typed, ids));
  const carried = carriedNames(typed.columns.map(({ name }) => name));
  const given = carried.map((name, i) => `c${i} as ${identifier(name)}`).join(', ');
  const missing = Object.values(mapping.inputs)
    .flat()
    .map((name) => ({ name, column: place(typed, name), type: typed.columns.find((column) => column.name === name)!.type }));
  const nulls = missing.map(
    ({ name, column, type }) =>
      `when ${isReal(type) ? `${column} is null or not isfinite(${column})` : mayHoldReal(type) ? `${column} is null or not json_valid(cast(to_json(${column}) as varchar))` : `${column} is null`} then ${literal(`The column '${name}' holds no value that a request could have.`)}`,
  );
  const empty = nulls.length === 0 ? 'null' : `case ${nulls.join(' ')} end`;
  const from =
    checked === null
      ? `(select *, null::varchar as smiles_, null::varchar as inchikey_, null::varchar[] as flags_, null::varchar as problem_ from ${typed.relation})`
      : `(select t.*, k.smiles as smiles_, k.inchikey as inchikey_, k.flags as flags_, k.problem as problem_ from ${typed.relation} t left join ${checkedRows(checked)} k using (line))`;
  const idSql = unique ? ids : await distinctIds(duck, typed, ids);
  const same = 'coalesce(inchikey_, smiles_)';
  const duplicate =
    checked === null ? 'null::bigint' : `case when ${same} is not null then nullif(min(line) over (partition by ${same}), line) end`;
  // Windows and joins deliver in any order; a plain copy keeps that of the file.
  const order = unique && checked === null ? '' : 'order by line';
  await duck.run(`
    copy (
      select cast(line as integer) as line, ${idSql} as custom_id, smiles_ as smiles_canonical, inchikey_ as inchikey,
        cast(${duplicate} as integer) as duplicate_of, flags_ as flags, coalesce(problem, problem_, ${empty}) as problem, ${given}
      from ${from} ${order})
    to ${literal(rows)} (format parquet)`);
};

/** Whether whole numbers ascend from row to row, as those of most tables do: then no memory is needed to know them unique. */
const areAscending = async (duck: DuckDBConnection, typed: Typed, column: string): Promise<boolean> => {
  if (!/INT/.test(typed.columns[Number(column.slice(1))]!.type)) return false;
  const { ascending } = await oneOf(
    duck,
    `select bool_and(${column} is not null and (before is null or ${column} > before)) as ascending
     from (select ${column}, lag(${column}) over () as before from ${typed.relation})`,
  );
  return ascending === true;
};

const areUnique = async (duck: DuckDBConnection, typed: Typed, ids: string): Promise<boolean> => {
  const { distinct } = await oneOf(duck, `select count(distinct ${ids})::double as distinct from ${typed.relation}`);
  return distinct === typed.rows;
};

/** The first row of a name keeps it; behind those of the others stands their place, after a mark that no name has. */
const distinctIds = async (duck: DuckDBConnection, typed: Typed, ids: string): Promise<string> => {
  let mark = '#';
  for (;;) {
    const { found } = await oneOf(duck, `select count(*)::double as found from ${typed.relation} where contains(${ids}, ${literal(mark)})`);
    if (found === 0) break;
    mark += '#';
  }
  return `case when row_number() over (partition by ${ids} order by line) = 1 then ${ids} else ${ids} || ${literal(mark)} || line end`;
};

const writeRequests = async (duck: DuckDBConnection, typed: Typed, { mapping, url, requests }: Write, rows: string): Promise<void> => {
  const carried = carriedNames(typed.columns.map(({ name }) => name));
  const value = (name: string): string => {
    const i = typed.columns.findIndex((column) => column.name === name);
    const { type } = typed.columns[i]!;
    const column = identifier(carried[i]!);
    if (isReal(type)) return `case when isfinite(${column}) then ${column} end`;
    return mayHoldReal(type) ? `case when json_valid(cast(to_json(${column}) as varchar)) then ${column} end` : column;
  };
  const inputs = Object.entries(mapping.inputs).map(([name, from]) => {
    const canonical = mapping.checked?.as === 'molblock' && mapping.checked.input === name;
    const given = canonical ? 'smiles_canonical' : Array.isArray(from) ? `[${from.map(value).join(', ')}]` : value(from);
    return `${literal(name)}: ${given}`;
  });
  const body = inputs.length === 0 ? "'{}'" : `cast(to_json({${inputs.join(', ')}}) as varchar)`;
  // What is the same in all lines is not made JSON of for each: a quarter of the time. JSON escapes line ends, so that a line
  // is written as it is.
  const between = `,"method":"POST","url":${JSON.stringify(url)},"body":{"inputs":`;
  const line = `'{"custom_id":' || cast(to_json(custom_id) as varchar) || ${literal(between)} || ${body} || '}}'`;
  await duck.run(
    `copy (select ${line} from ${rows}) to ${literal(requests)} (format csv, header false, quote '', escape '', delimiter '\x01')`,
  );
};
