import type { DuckDBConnection } from '@duckdb/node-api';
import { identifier, literal, oneOf, parquetOfSteps, rowsOf } from './duck.ts';
import { BadTable, type Ask, type Mapping, type Written } from './facts.ts';
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
  const { refused, duplicates, elsewhere } = await oneOf(
    duck,
    `select count(problem)::double as refused, count(duplicate_of)::double as duplicates,
       count_if(line <> file_row_number + 1)::double as elsewhere
     from read_parquet(${literal(write.rows)}, file_row_number = true)`,
  );
  // Results are joined by place. A plan with a join in it has lost the order once, in tables of more than one row group.
  if (elsewhere !== 0) throw new Error(`${elsewhere as number} rows of the table were written in other places than theirs`);
  await writeRequests(duck, typed, write, { rows, whole: refused === 0 });
  // What was found wrong with a molecule is what a model would have said of it.
  const wrong = write.checked === null ? null : `(select line from ${checkedRows(write.checked)} where problem is not null)`;
  const code = wrong === null ? "'invalid_row'" : `case when line in ${wrong} then 'invalid_input' else 'invalid_row' end`;
  await duck.run(
    `copy (select line, ${code} as code, problem as message from ${rows} where problem is not null order by line) to ${literal(write.refused)} (format json)`,
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

const isWhole = (type: string): boolean => /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type);
const isReal = (type: string): boolean => type === 'DOUBLE' || type === 'FLOAT';
/** Lists and the like, in which numbers may be that JSON has not. */
const mayHoldReal = (type: string): boolean => /DOUBLE|FLOAT|JSON/.test(type) && !isReal(type);

/**
 * Whether a value cannot be written as JSON. DuckDB writes NaN and Infinity within lists and the like as they are, and takes
 * them for JSON: they are looked for outside of texts.
 */
const notFinite = (column: string, type: string): string | null => {
  if (isReal(type)) return `not isfinite(${column})`;
  return mayHoldReal(type) ? `regexp_matches(cast(to_json(${column}) as varchar), '(?is)^([^"]|"([^"\\\\]|\\\\.)*")*(nan|inf)')` : null;
};

/** Why a row whose input this column is cannot run, as a branch of a case. */
const problemIn = (name: string, column: string, type: string): string => {
  const none = literal(`The column '${name}' holds no value that a request could have.`);
  const wrong = notFinite(column, type);
  if (wrong === null) return `when ${column} is null then ${none}`;
  const real = literal(
    `The column '${name}' holds NaN or an infinity, which JSON has not: put a number in its place, or leave the row out.`,
  );
  return `when ${column} is null or ${wrong} then case when ${column} is null then ${none} else ${real} end`;
};

const writeRows = async (duck: DuckDBConnection, typed: Typed, { mapping, checked, rows }: Write): Promise<void> => {
  const id = mapping.id === null ? null : place(typed, mapping.id);
  const text = `cast(${id} as varchar)`;
  // Digits need no cutting, which costs as much as writing them.
  const named =
    id === null ? null : hasWholeNames(typed, mapping) ? text : `nullif(left(replace(trim(${text}), chr(0), ''), ${idLength}), '')`;
  const ids = `coalesce(${named ?? 'null'}, 'row-' || line)`;
  const sorted = id !== null && hasWholeNames(typed, mapping) && (await areAscending(duck, typed, id));
  const unique = named === null || sorted || (await areUnique(duck, typed, ids));
  const carried = carriedNames(typed.columns.map(({ name }) => name));
  const given = carried.map((name, i) => `c${i} as ${identifier(name)}`).join(', ');
  const missing = Object.values(mapping.inputs)
    .flat()
    .map((name) => ({ name, column: place(typed, name), type: typed.columns.find((column) => column.name === name)!.type }));
  const nulls = missing.map(({ name, column, type }) => problemIn(name, column, type));
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
    to ${literal(rows)} (${parquetOfSteps})`);
};

/** Whether whole numbers ascend from row to row, as those of most tables do: then no memory is needed to know them unique. */
const areAscending = async (duck: DuckDBConnection, typed: Typed, column: string): Promise<boolean> => {
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

/** Whether the rows are named by whole numbers, or by their places: names that JSON writes as they are. */
const hasWholeNames = ({ columns }: Typed, { id }: Mapping): boolean =>
  id === null || isWhole(columns.find(({ name }) => name === id)?.type ?? '');

/** `whole`: no row has a problem, so that no input is missing, and every number is one of JSON's. */
const writeRequests = async (
  duck: DuckDBConnection,
  typed: Typed,
  { mapping, url, requests }: Write,
  { rows, whole }: { rows: string; whole: boolean },
): Promise<void> => {
  const carried = carriedNames(typed.columns.map(({ name }) => name));
  const value = (name: string): string => {
    const i = typed.columns.findIndex((column) => column.name === name);
    const { type } = typed.columns[i]!;
    const column = identifier(carried[i]!);
    const wrong = whole ? null : notFinite(column, type);
    return wrong === null ? column : `case when not (${wrong}) then ${column} end`;
  };
  const inputs = Object.entries(mapping.inputs).map(([name, from]) => {
    const canonical = mapping.checked?.as === 'molblock' && mapping.checked.input === name;
    const given = canonical ? 'smiles_canonical' : Array.isArray(from) ? `[${from.map(value).join(', ')}]` : value(from);
    return `${literal(name)}: ${given}`;
  });
  const body = inputs.length === 0 ? "'{}'" : `to_json({${inputs.join(', ')}})`;
  // What is the same in all lines is not made JSON of for each: a quarter of the time. `||` would copy the line once for each
  // of its parts. JSON escapes line ends, so that a line is written as it is.
  const between = `,"method":"POST","url":${JSON.stringify(url)},"body":{"inputs":`;
  const name = hasWholeNames(typed, mapping) ? `'"', custom_id, '"'` : 'to_json(custom_id)';
  const line = `concat('{"custom_id":', ${name}, ${literal(between)}, ${body}, '}}')`;
  await duck.run(
    `copy (select ${line} from ${rows}) to ${literal(requests)} (format csv, header false, quote '', escape '', delimiter '\x01')`,
  );
};
