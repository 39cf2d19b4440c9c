import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

export const resultFormats = ['jsonl', 'csv', 'tsv', 'parquet', 'sdf'] as const;
export type ResultFormat = (typeof resultFormats)[number];

export const ResultColumn = Type.Object(
  {
    name: Type.String(),
    type: Type.Enum(['integer', 'number', 'boolean', 'text', 'json']),
    role: Type.Enum(['line', 'custom_id', 'input', 'carried', 'status', 'model', 'output', 'error'], {
      description: '`carried`: of the table that was sent; `output`: what a model computed.',
    }),
    key: Type.Optional(Type.String({ description: 'The key it has in the output file, where that is another than its name.' })),
    model: Type.Optional(Type.String({ description: 'The model it is of, where there are several.' })),
    title: Type.Optional(Type.String({ description: 'As its model declares it.' })),
    unit: Type.Optional(Type.String({ description: 'As its model declares it.' })),
  },
  { $id: 'ResultColumn' },
);
export type ResultColumn = Static<typeof ResultColumn>;

const filter = {
  where: Type.Optional(
    Type.String({
      maxLength: 10_000,
      description:
        'Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes.',
    }),
  ),
};

const choice = {
  ...filter,
  columns: Type.Optional(Type.String({ maxLength: 100_000, description: 'Names with commas between, in the order wanted; absent: all.' })),
  sort: Type.Optional(
    Type.String({
      maxLength: 10_000,
      description: 'Names with commas between, falling behind a minus: `-logS,custom_id`. Rows without a value come last.',
    }),
  ),
  offset: Type.Optional(Type.Integer({ minimum: 0, description: 'Rows to leave out at the beginning.' })),
};

/** Seconds a reply waits for a table that is being made. */
const wait = Type.Optional(
  Type.Number({ minimum: 0, maximum: 60, description: 'Seconds to wait for the table where it is being made; default 10.' }),
);

export const ResultsQuery = Type.Object({
  ...choice,
  wait,
  format: Type.Optional(Type.Enum([...resultFormats], { description: 'Default jsonl.' })),
  smarts: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      description: 'Only rows whose molecule holds this. All that the filter lets pass are looked through before the first byte.',
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  formulas: Type.Optional(
    Type.Enum(['escape', 'keep'], {
      description:
        'csv and tsv: whether text that a spreadsheet would run as a formula gets an apostrophe before it (the default) or stays as it is.',
    }),
  ),
});
export type ResultsQuery = Static<typeof ResultsQuery>;

export const ResultsPageQuery = Type.Object({
  ...choice,
  wait,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 50.' })),
});

export const ResultsPending = Type.Object(
  {
    object: Type.Literal('batch.results'),
    state: Type.Enum(['queued', 'building']),
    retry_after: Type.Integer({ description: 'Seconds.' }),
  },
  { $id: 'ResultsPending', description: 'The table is being made: ask again.' },
);
export type ResultsPending = Static<typeof ResultsPending>;

const ResultRow = Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'Values by the names of the columns.' });

export const ResultsPage = Type.Object(
  {
    object: Type.Literal('list'),
    columns: Type.Array(Type.Ref('ResultColumn')),
    data: Type.Array(ResultRow),
    total: Type.Integer({ description: 'Rows that the filter lets pass.' }),
    offset: Type.Integer(),
    has_more: Type.Boolean(),
  },
  { $id: 'ResultsPage' },
);
export type ResultsPage = Static<typeof ResultsPage>;

export const ResultsTable = Type.Object(
  {
    object: Type.Literal('batch.results'),
    batch_id: Type.String(),
    state: Type.Enum(['none', 'queued', 'building', 'ready', 'failed', 'expired']),
    reason: Nullable(Type.String({ description: 'Why it failed, or is no more.' })),
    rows: Nullable(Type.Integer()),
    bytes: Nullable(Type.Integer({ description: 'Of the Parquet.' })),
    sha256: Nullable(Type.String()),
    columns: Type.Array(Type.Ref('ResultColumn')),
    built_at: Nullable(Type.Integer()),
  },
  { $id: 'ResultsTable', description: 'The table of results of a batch, and how far it is.' },
);
export type ResultsTable = Static<typeof ResultsTable>;

export const ResultsMoleculesQuery = Type.Object({
  ...choice,
  wait,
  smarts: Type.String({ minLength: 1, maxLength: 1000, description: 'What the molecules hold.' }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 50.' })),
});

export const ResultsMolecules = Type.Object(
  {
    object: Type.Literal('list'),
    columns: Type.Array(Type.Ref('ResultColumn')),
    data: Type.Array(ResultRow, { description: 'Rows whose molecule holds it, in the order asked for.' }),
    total: Type.Integer({ description: 'Rows that the filter lets pass.' }),
    offset: Type.Integer({ description: 'The row at which this answer began.' }),
    looked: Type.Integer({ description: 'Rows that were looked at for it.' }),
    without: Type.Integer({ description: 'Of these, rows that have no molecule, or one that was too much for RDKit.' }),
    next_offset: Nullable(Type.Integer({ description: 'Where to go on; null: all rows have been looked at.' })),
  },
  { $id: 'ResultsMolecules' },
);
export type ResultsMolecules = Static<typeof ResultsMolecules>;

export const ResultsSummaryQuery = Type.Object({
  ...filter,
  wait,
  properties: Type.Optional(
    Type.String({ maxLength: 10_000, description: 'Columns of numbers, with commas between; absent: what the models computed.' }),
  ),
});

const Extreme = Type.Object({ line: Type.Integer(), custom_id: Type.String(), value: Type.Number() });
const Figure = Nullable(Type.Number());

export const ResultsSummary = Type.Object(
  {
    object: Type.Literal('batch.results.summary'),
    rows: Type.Integer({ description: 'That the filter lets pass.' }),
    counts: Type.Object({ completed: Type.Integer(), failed: Type.Integer(), cancelled: Type.Integer(), expired: Type.Integer() }),
    properties: Type.Array(
      Type.Object({
        name: Type.String(),
        unit: Nullable(Type.String()),
        count: Type.Integer({ description: 'Rows with a value.' }),
        missing: Type.Integer(),
        mean: Figure,
        sd: Type.Union([Type.Number(), Type.Null()], { description: 'Of the sample: null with fewer than two values.' }),
        min: Figure,
        max: Figure,
        quantiles: Type.Object({ p5: Figure, p25: Figure, p50: Figure, p75: Figure, p95: Figure }),
        quantiles_of: Type.Integer({
          description: 'Rows the quantiles are of: about 100,000, always the same ones, where there are more than 200,000.',
        }),
        histogram: Type.Object({
          edges: Type.Array(Type.Number(), { description: 'One more than there are counts.' }),
          counts: Type.Array(Type.Integer()),
        }),
        highest: Type.Array(Extreme),
        lowest: Type.Array(Extreme),
      }),
    ),
    failures: Type.Array(
      Type.Object({
        status: Type.String(),
        code: Nullable(Type.String()),
        count: Type.Integer(),
        example: Type.Object({ line: Type.Integer(), message: Nullable(Type.String()) }),
      }),
    ),
  },
  { $id: 'ResultsSummary' },
);
export type ResultsSummary = Static<typeof ResultsSummary>;

export const ResultsTopQuery = Type.Object({
  ...filter,
  wait,
  columns: Type.Optional(Type.String({ maxLength: 100_000, description: 'Names with commas between; absent: all.' })),
  property: Type.Optional(Type.String({ maxLength: 1000, description: 'The column of numbers to rank by.' })),
  order: Type.Optional(Type.Enum(['desc', 'asc'], { description: 'Of `property`: `desc` (the default) has the largest first.' })),
  objective: Type.Optional(
    Type.String({
      maxLength: 10_000,
      description:
        'Instead of `property`: properties with weights, `logS:1,p_bbb:-0.5`. Values are brought to mean 0 and standard deviation 1 over the filtered rows, weighted and added.',
    }),
  ),
  diverse: Type.Optional(
    Type.Enum(['scaffold'], {
      description: 'Only the best row of each Bemis-Murcko scaffold. Looks at the best 20 × n rows, 5,000 at most.',
    }),
  ),
  n: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 10.' })),
});

export const ResultsTop = Type.Object(
  {
    object: Type.Literal('list'),
    columns: Type.Array(Type.Ref('ResultColumn')),
    data: Type.Array(
      Type.Object({
        rank: Type.Integer(),
        value: Type.Number({ description: 'Of the property, or of the objective.' }),
        scaffold: Type.Optional(Nullable(Type.String())),
        row: ResultRow,
      }),
    ),
  },
  { $id: 'ResultsTop' },
);
export type ResultsTop = Static<typeof ResultsTop>;

export const ResultsScatterQuery = Type.Object({
  ...filter,
  wait,
  x: Type.String({ maxLength: 1000 }),
  y: Type.String({ maxLength: 1000 }),
  colour: Type.Optional(Type.String({ maxLength: 1000, description: 'A third column, of any type.' })),
  points: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 50_000,
      description: 'At most; default 50,000. Where there are more, the same ones are chosen each time.',
    }),
  ),
});

export const ResultsScatter = Type.Object(
  {
    object: Type.Literal('batch.results.scatter'),
    total: Type.Integer({ description: 'Rows that the filter lets pass.' }),
    sampled: Type.Boolean(),
    line: Type.Array(Type.Integer()),
    x: Type.Array(Type.Number()),
    y: Type.Array(Type.Number()),
    colour: Type.Optional(Type.Array(Type.Union([Type.Number(), Type.String(), Type.Null()]))),
  },
  { $id: 'ResultsScatter', description: 'Points by column: the i-th of each belong together.' },
);
export type ResultsScatter = Static<typeof ResultsScatter>;

export const QueryResults = Type.Object(
  {
    sql: Type.String({ minLength: 1, maxLength: 20_000, description: "One `select` over the table `results`, in DuckDB's SQL." }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Rows of the answer; default 1,000.' })),
  },
  { $id: 'QueryResults' },
);
export type QueryResults = Static<typeof QueryResults>;

export const QueriedResults = Type.Object(
  {
    object: Type.Literal('batch.results.query'),
    columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String({ description: "DuckDB's." }) })),
    rows: Type.Array(Type.Array(Type.Unknown()), { description: 'Whole numbers that JavaScript cannot hold are texts.' }),
    truncated: Type.Boolean({ description: 'There are more rows than `limit`, or more than 16 MB of them.' }),
  },
  { $id: 'QueriedResults' },
);
export type QueriedResults = Static<typeof QueriedResults>;
