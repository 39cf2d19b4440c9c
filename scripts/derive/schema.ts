import { readFileSync } from 'node:fs';
import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPool } from '../../server/src/db/db.ts';
import { startEmbedded } from '../../server/src/db/embedded.ts';
import { migrate } from '../../server/src/db/migrate.ts';
import { silent } from '../../server/src/lib/log.ts';

interface Column {
  table: string;
  name: string;
  type: string;
  rest: string;
}

/** What lies between the brackets of `create table` is read from the catalogue, never from the migrations' text. */
const queries = {
  columns: `
    select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      concat_ws(' ',
        case when a.attnotnull then 'not null' end,
        case when a.attidentity = 'a' then 'generated always as identity' end,
        case when a.attgenerated = 's' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored' end,
        case when a.attgenerated = '' and d.adbin is not null then 'default ' || pg_get_expr(d.adbin, d.adrelid) end) as rest
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname, a.attnum`,
  constraints: `
    select c.relname as table, conname as name, contype as kind, pg_get_constraintdef(k.oid, true) as text, r.relname as target,
      k.conkey as keys
    from pg_constraint k join pg_class c on c.oid = k.conrelid left join pg_class r on r.oid = k.confrelid
    where c.relnamespace = 'public'::regnamespace and k.contype in ('p', 'u', 'c', 'f')
    order by c.relname, position(k.contype::text in 'pufc'), conname`,
  indexes: `
    select t.relname as table, pg_get_indexdef(i.indexrelid) as text
    from pg_index i join pg_class t on t.oid = i.indrelid join pg_class c on c.oid = i.indexrelid
    where t.relnamespace = 'public'::regnamespace and not exists (select from pg_constraint where conindid = i.indexrelid)
    order by t.relname, c.relname`,
  options: `select relname as table, array_to_string(reloptions, ', ') as text from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' and reloptions is not null`,
  sequences: `
    select sequencename as name from pg_sequences s where schemaname = 'public'
      and not exists (select from pg_depend where objid = format('public.%I', s.sequencename)::regclass and deptype in ('a', 'i')) order by 1`,
};

interface Constraint {
  table: string;
  name: string;
  kind: 'p' | 'u' | 'c' | 'f';
  text: string;
  target: string | null;
}

/** On a server of its own: what a catalogue prints differs a little between PostgreSQL's versions. */
const readCatalogue = async () => {
  const home = await mkdtemp(join(tmpdir(), 'sluice-derive-'));
  await chmod(home, 0o711);
  const server = await startEmbedded({ dataDir: home, log: silent });
  try {
    await migrate(server.url);
    await using db = openPool({ url: server.url, name: 'derive' });
    const ask = <T>(text: string): Promise<T[]> => db.many<T>({ text, values: [] });
    return {
      columns: await ask<Column>(queries.columns),
      constraints: await ask<Constraint>(queries.constraints),
      indexes: await ask<{ table: string; text: string }>(queries.indexes),
      options: await ask<{ table: string; text: string }>(queries.options),
      sequences: await ask<{ name: string }>(queries.sequences),
    };
  } finally {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
};

type Catalogue = Awaited<ReturnType<typeof readCatalogue>>;

const tablesOf = ({ columns }: Catalogue): string[] => [...new Set(columns.map(({ table }) => table))];

const schemaFile = (catalogue: Catalogue): string => {
  const { columns, constraints, indexes, options, sequences } = catalogue;
  const of = <T extends { table: string }>(rows: readonly T[], table: string): T[] => rows.filter((row) => row.table === table);
  const tables = tablesOf(catalogue).map((table) => {
    const lines = [
      ...of(columns, table).map(({ name, type, rest }) => `  ${name} ${type}${rest ? ` ${rest}` : ''}`),
      ...of(constraints, table).map(({ name, text }) => `  constraint ${name} ${text}`),
    ];
    const [option] = of(options, table);
    return [
      `create table ${table} (\n${lines.join(',\n')}\n)${option ? ` with (${option.text})` : ''};`,
      ...of(indexes, table).map(({ text }) => `${text};`),
    ].join('\n');
  });
  return `-- Derived from the migrated database by \`npm run derive\`; for reading. The migrations are what is run.\n\n${[
    ...sequences.map(({ name }) => `create sequence ${name};`),
    ...tables,
  ].join('\n\n')}\n`;
};

/** The comment above each `create table` of the migrations. */
const commentsOf = (text: string): Map<string, string> =>
  new Map(
    [...text.matchAll(/((?:^--.*\n)+)create table (\w+)/gm)].map(([, comment, table]) => [
      table!,
      comment!.replaceAll(/^-- ?/gm, '').trim().replaceAll('\n', ' '),
    ]),
  );

const schemaPage = (catalogue: Catalogue): string => {
  const { columns, constraints } = catalogue;
  const keysOf = (kind: string, table: string): Set<string> =>
    new Set(
      constraints.filter((c) => c.kind === kind && c.table === table).flatMap(({ text }) => /\(([^)]*)\)/.exec(text)![1]!.split(', ')),
    );
  const comments = commentsOf(readFileSync(new URL('../../server/migrations/0001_engine.sql', import.meta.url), 'utf8'));
  const shown = tablesOf(catalogue).filter((table) => table !== 'migrations');
  const entities = shown.map((table) => {
    const [primary, foreign] = [keysOf('p', table), keysOf('f', table)];
    const lines = columns
      .filter((column) => column.table === table)
      .map(({ name, type }) => {
        const marks = [...(primary.has(name) ? ['PK'] : []), ...(foreign.has(name) ? ['FK'] : [])].join(', ');
        return `    ${type.replaceAll(/[^A-Za-z0-9_]+/g, '_').replace(/_$/, '')} ${name}${marks ? ` ${marks}` : ''}`;
      });
    return `  ${table} {\n${lines.join('\n')}\n  }`;
  });
  const arrows = constraints
    .filter(({ kind }) => kind === 'f')
    .map(({ table, target, text }) => `  ${target} ||--o{ ${table} : ${/\(([^)]*)\)/.exec(text)![1]!.replaceAll(', ', '_')}`);
  const tables = shown.map(
    (table) =>
      `## ${table}\n${comments.get(table) ?? ''}\n\n| column | type | |\n|---|---|---|\n${columns
        .filter((column) => column.table === table)
        .map(({ name, type, rest }) => `| \`${name}\` | ${type} | ${rest.replaceAll('|', '\\|')} |`)
        .join('\n')}`,
  );
  return `# Schema

Derived from the migrated database by \`npm run derive\`. Bodies of requests and results are not here: they live in
storage, and \`storage_key\` columns name them. Times are \`timestamptz\`, judged by the database's clock only.

\`\`\`mermaid
erDiagram
${[...entities, ...arrows].join('\n')}
\`\`\`

${tables.join('\n\n')}
`;
};

export const derive = async (): Promise<Record<string, string>> => {
  const catalogue = await readCatalogue();
  return { 'server/schema.sql': schemaFile(catalogue), 'docs/schema.md': schemaPage(catalogue) };
};
