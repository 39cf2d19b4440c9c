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
    unit: Type.Optional(Type.String()),
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
