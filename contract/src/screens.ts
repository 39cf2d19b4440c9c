import { Type, type Static } from 'typebox';
import type { Artifact } from './artifacts.ts';
import { batchStatuses, CreateBatch, lastSecond, requestStates, RequestCounts } from './batches.ts';
import { BoltzPocket, BoltzProtein, BoltzSequence, BoltzTemplate } from './boltz.ts';
import { Metadata, Nullable, Page, Timestamp } from './common.ts';

const ScreenLigand = Type.Object(
  {
    id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Unique in the screen; absent: `ligand-` and its place, from 1.' }),
    ),
    name: Type.Optional(Nullable(Type.String({ maxLength: 200 }))),
    smiles: Type.Optional(Type.String({ maxLength: 10_000, title: 'SMILES', examples: ['CC(=O)Oc1ccccc1C(=O)O'] })),
    ccd: Type.Optional(Type.String({ pattern: '^[A-Z0-9]{1,5}$', title: 'CCD code', examples: ['ATP'] })),
  },
  { additionalProperties: false, description: 'By its SMILES, or by its code in the Chemical Component Dictionary.' },
);

export const mostLigands = 20_000;

const { strategy, max_concurrent, priority, metadata, name, pool, dedup, output_expires_after } = CreateBatch.properties;

export const CreateScreen = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 300, default: 'boltz-2', description: '`name` or `name@version`.' })),
    protein: Type.Optional(Type.Union([BoltzSequence, BoltzProtein], { title: 'Protein' })),
    proteins: Type.Optional(Type.Array(BoltzProtein, { minItems: 1, maxItems: 12, description: 'In place of `protein`: a complex.' })),
    ligands: Type.Union(
      [Type.Array(Type.Union([Type.String(), ScreenLigand]), { minItems: 1, maxItems: mostLigands }), Type.String({ minLength: 1 })],
      {
        description: `Up to ${mostLigands.toLocaleString('en')}: a list of SMILES or objects; or a text, which is SMILES with a name behind each, a line each, CSV or TSV with a column \`smiles\` and perhaps \`id\`, \`name\` and \`ccd\`, or an SD file.`,
      },
    ),
    pocket: Type.Optional(BoltzPocket),
    templates: Type.Optional(Type.Array(BoltzTemplate, { maxItems: 8 })),
    affinity: Type.Optional(Type.Boolean({ default: true, title: 'Predict affinity' })),
    parameters: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: "The model's, as its schema has them: `sampling_steps`, `seed`, …" }),
    ),
    invalid: Type.Optional(
      Type.Enum(['skip', 'refuse'], {
        default: 'skip',
        description: '`skip`: the valid ligands run, and each other one has its reason in the results. `refuse`: none runs.',
      }),
    ),
    completion_window: Type.Optional(CreateBatch.properties.completion_window),
    deadline: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: lastSecond,
        description: 'In place of `completion_window`: when it must have ended, in seconds since the epoch. Absent both: in 7 days.',
      }),
    ),
    name,
    metadata,
    priority,
    strategy,
    max_concurrent,
    pool,
    dedup,
    output_expires_after,
  },
  { additionalProperties: false, description: 'A protein, or a complex, against ligands.' },
);
export type CreateScreen = Static<typeof CreateScreen>;

export const ligandStatuses = ['queued', 'running', 'ok', 'invalid', 'failed', 'oom', 'skipped'] as const;

const figure = (description: string) => Nullable(Type.Number({ description }));

const member = Type.Object({ affinity_pred_value: Type.Number(), affinity_probability_binary: Type.Number() });

/** What came of one ligand. */
export const LigandRecord = Type.Object(
  {
    object: Type.Literal('screen.ligand'),
    line: Type.Integer({ description: 'Its place, from 1.' }),
    request: Type.String({ description: 'The request that ran it.' }),
    id: Type.String(),
    name: Nullable(Type.String()),
    smiles_submitted: Nullable(Type.String()),
    ccd: Nullable(Type.String()),
    smiles_canonical: Nullable(Type.String()),
    inchikey: Nullable(Type.String()),
    state: Type.Enum([...requestStates], { description: 'Of its request.' }),
    status: Type.Enum([...ligandStatuses], {
      description: '`invalid`: no molecule, or none the model takes. `oom`: it ran out of memory. `skipped`: cancelled or expired first.',
    }),
    error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    affinity_pred_value: figure('log10(IC50 in µM); lower binds more strongly.'),
    pic50: figure('6 - affinity_pred_value: -log10(IC50 in M).'),
    ic50_um: figure('µM.'),
    affinity_probability_binary: figure('0 to 1, that it binds at all.'),
    affinity_members: Nullable(Type.Array(member)),
    confidence_score: figure('0 to 1.'),
    ptm: figure('0 to 1.'),
    iptm: figure('0 to 1.'),
    ligand_iptm: figure('0 to 1: how sure the pose is.'),
    complex_plddt: figure('0 to 1.'),
    complex_pde: figure('Å, lower is better.'),
    structure_path: Nullable(Type.String({ description: 'Below `batches/{id}/`, once the screen has ended.' })),
    plddt_path: Nullable(Type.String()),
    params: Nullable(Type.Object({}, { additionalProperties: true, description: 'All that it was predicted with.' })),
    msa: Nullable(Type.String({ description: '`user`, `server` or `single_sequence`.' })),
    executor: Type.String(),
    tool: Nullable(Type.Object({}, { additionalProperties: true })),
    model_version: Nullable(Type.String({ description: '`name@version`.' })),
    attempts: Type.Integer(),
    seconds: figure('What its last attempt took; those of one process took it together.'),
    worker: Nullable(Type.String()),
    pool: Nullable(Type.String()),
  },
  { $id: 'LigandRecord' },
);
export type LigandRecord = Static<typeof LigandRecord>;

export const ScreenChild = Type.Object(
  {
    ...LigandRecord.properties,
    artifacts: Type.Array(Type.Unsafe<Artifact>(Type.Ref('Artifact')), { description: 'Files of its newest attempt.' }),
  },
  { $id: 'ScreenChild' },
);
export type ScreenChild = Static<typeof ScreenChild>;

export const ChildPage = Page(Type.Ref('ScreenChild'));

const Stats = Nullable(
  Type.Object({
    count: Type.Integer(),
    mean: Type.Number(),
    min: Type.Number(),
    q25: Type.Number(),
    median: Type.Number(),
    q75: Type.Number(),
    max: Type.Number(),
  }),
);

const Top = Type.Array(
  Type.Object({
    rank: Type.Integer(),
    id: Type.String(),
    name: Nullable(Type.String()),
    line: Type.Integer(),
    affinity_probability_binary: figure('0 to 1.'),
    pic50: figure('No unit.'),
    ligand_iptm: figure('0 to 1.'),
  }),
);

export const ScreenSummary = Type.Object(
  {
    ligands: Type.Integer(),
    by_status: Type.Record(Type.String(), Type.Integer()),
    failures: Type.Array(Type.Object({ code: Type.String(), count: Type.Integer(), example: Type.String() })),
    statistics: Type.Record(Type.String(), Stats),
    top_by_probability: Top,
    top_by_pic50: Top,
  },
  { $id: 'ScreenSummary' },
);
export type ScreenSummary = Static<typeof ScreenSummary>;

export const Screen = Type.Object(
  {
    id: Type.String({ description: 'Of its batch: a screen is one, and all that batches have, it has.' }),
    object: Type.Literal('screen'),
    name: Nullable(Type.String()),
    model: Type.String(),
    status: Type.Enum([...batchStatuses]),
    created_at: Timestamp,
    created_by: Type.String(),
    expires_at: Timestamp,
    ended_at: Nullable(Timestamp),
    request_counts: RequestCounts,
    proteins: Type.Array(Type.Object({ id: Type.Array(Type.String()), residues: Type.Integer(), msa: Type.Boolean() })),
    ligands: Type.Integer(),
    invalid: Type.Integer({ description: 'Of these, known not to run when it was created.' }),
    affinity: Type.Boolean(),
    parameters: Type.Object({}, { additionalProperties: true }),
    max_concurrent: Nullable(Type.Integer()),
    metadata: Nullable(Metadata),
    results: Type.Object({
      status: Type.Enum(['pending', 'ready', 'failed'], { description: '`ready` soon after the batch has ended.' }),
      error: Nullable(Type.String()),
      artifacts: Type.Array(Type.Unsafe<Artifact>(Type.Ref('Artifact'))),
    }),
    summary: Nullable(Type.Unsafe<ScreenSummary>(Type.Ref('ScreenSummary'))),
  },
  { $id: 'Screen' },
);
export type Screen = Static<typeof Screen>;

export const ScreenPage = Page(Type.Ref('Screen'));

export const Archived = Type.Object(
  {
    id: Type.String({ description: 'Of the batch, which may be gone.' }),
    object: Type.Literal('archive'),
    kind: Type.String(),
    name: Nullable(Type.String()),
    created_by: Type.String(),
    archived_at: Timestamp,
    bytes: Type.Integer(),
    files: Type.Integer(),
  },
  { $id: 'Archived' },
);
export type Archived = Static<typeof Archived>;

export const ArchivePage = Page(Type.Ref('Archived'));

export const ArchivedFile = Type.Object({
  path: Type.String({ examples: ['results/batch_results.csv'] }),
  content_type: Type.String(),
  bytes: Type.Integer(),
  sha256: Type.String(),
});
export type ArchivedFile = Static<typeof ArchivedFile>;

export const ArchivedFiles = Type.Object({ object: Type.Literal('list'), data: Type.Array(ArchivedFile) });

export const DeletedArchive = Type.Object({ id: Type.String(), object: Type.Literal('archive'), deleted: Type.Literal(true) });
