import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf } from './duck.ts';
import { kindsIn, type Placed } from './kinds.ts';
import { fieldsOf, fitStruct, type Field } from './layout.ts';
import { identifier, literal } from './quoted.ts';

/** How lines are read that were looked at: by which types, and what makes columns of them. */

export const jsonLines = (path: string, columns: Record<string, string>, lineBytes: number): string =>
  `read_json(${literal(path)}, format = 'newline_delimited', maximum_object_size = ${lineBytes}, columns = {${Object.entries(columns)
    .map(([name, type]) => `${name}: ${literal(type)}`)
    .join(', ')}})`;

/** A type round another, by names from outside in. */
export const within = (path: readonly string[], inner: string): string =>
  path.reduceRight((type, name) => `STRUCT(${identifier(name)} ${type})`, inner);

/** How the values at one place of each line are read: as a struct of typed fields, by key, or as they are. */
export interface Read {
  type: string;
  fields: { field: Field; sql: (value: string) => string }[];
}

/** The file of lines, and where in each the objects lie: `body.inputs`. */
export interface Objects {
  file: string;
  path: readonly [column: string, ...inner: string[]];
  lineBytes: number;
}

/** DuckDB's own look at all lines; null where the values are no objects, or have one key twice: they are shown as they are then. */
export const kindsByDuck = async (duck: DuckDBConnection, { file, path, lineBytes }: Objects): Promise<Placed[] | null> => {
  const [column, ...inner] = path;
  const from = jsonLines(file, { [column]: within(inner, 'MAP(VARCHAR, JSON)') }, lineBytes);
  const found = await rowsOf(
    duck,
    `select key, type, max(length(value))::integer as longest, type = 'DOUBLE' and bool_and(digits) as huge, min(place)::integer as place
     from (
       select key, value, place, coalesce(json_type(value), 'NULL') as type,
         length(value) > 18 and not contains(value, '.') and not contains(value, 'e') and not contains(value, 'E') as digits
       from (
         select unnest(map_keys(fields)) as key, unnest(map_values(fields)) as value, unnest(range(cardinality(fields)::bigint)) as place
         from (select ${path.map(identifier).join('.')} as fields from ${from})))
     group by key, type limit ${mostKinds}`,
  ).catch((error: unknown) => {
    if (/transform|duplicate|unique/i.test(String(error))) return null;
    throw error;
  });
  return found as Placed[] | null;
};

const mostKinds = 20_000;

/** How the objects of all lines are read best. */
export const look = async (duck: DuckDBConnection, objects: Objects): Promise<Read> => {
  const kinds = (await kindsIn(objects.file, objects.path)) ?? (await kindsByDuck(duck, objects));
  const fields = kinds === null || kinds.length >= mostKinds ? null : fieldsOf(inOrder(kinds));
  if (fields === null) {
    const name = objects.path.at(-1)!;
    return { type: 'JSON', fields: [{ field: { key: name, type: 'json', read: 'JSON', cast: null }, sql: (v) => v }] };
  }
  const cast = ({ cast }: Field, sql: string): string => (cast === null ? sql : `cast(${sql} as ${cast})`);
  if (fields.length === 0) return { type: 'JSON', fields: [] };
  if (fitStruct(fields))
    return {
      type: `STRUCT(${fields.map(({ key, read }) => `${identifier(key)} ${read}`).join(', ')})`,
      fields: fields.map((field) => ({ field, sql: (v) => cast(field, `${v}.${identifier(field.key)}`) })),
    };
  return {
    type: 'MAP(VARCHAR, JSON)',
    fields: fields.map((field) => ({
      field,
      sql: (v) => {
        const one = `${v}[${literal(field.key)}]`;
        return field.read === 'JSON' ? one : cast(field, `cast(${one} ->> '$' as ${field.read})`);
      },
    })),
  };
};

/** As the keys stand in the objects. */
export const inOrder = (kinds: readonly Placed[]): Placed[] => {
  const first = new Map<string, number>();
  for (const { key, place } of kinds) first.set(key, Math.min(place, first.get(key) ?? Infinity));
  return kinds.toSorted((a, b) => first.get(a.key)! - first.get(b.key)! || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
};
