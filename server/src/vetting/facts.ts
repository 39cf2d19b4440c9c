import { ModelPort, ModelReport } from '@sluice/contract';
import { Type, type Static } from 'typebox';

/** The steps in their order. What fails one of the first six fails the file; the others find out how to serve it. */
export const steps = [
  'size',
  'walk',
  'ports',
  'load',
  'trial',
  'outputs',
  'batch_axis',
  'batch_equivalence',
  'batching_gain',
  'time_and_memory',
] as const;
export type StepName = (typeof steps)[number];

const Axes = Type.Record(Type.String(), Type.Union([Type.Integer(), Type.Null()]), {
  description: 'By tensor: the dimension that counts rows; null: the tensor is one for all rows.',
});

/** Whether and how rows may share a run. */
export const Batching = Type.Object({
  safe: Type.Boolean({ description: "A row's answer was the same alone and in company." }),
  /** Why not, or why it is not worth it. */
  reason: Type.Union([Type.String(), Type.Null()]),
  inputs: Axes,
  outputs: Axes,
  gain: Type.Union([Type.Number(), Type.Null()], {
    description: 'Rows per processor-second in runs of `max_rows`, over those of single rows.',
  }),
  max_rows: Type.Integer({ description: 'Rows that a run should have; 1: they should not share one.' }),
});
export type Batching = Static<typeof Batching>;

/** What vetting found out about a file; a version's `metadata`. */
export const ModelFacts = Type.Object({
  ir_version: Type.Integer(),
  opsets: Type.Record(Type.String(), Type.Integer()),
  producer: Type.String(),
  domain: Type.String(),
  model_version: Type.Number(),
  metadata: Type.Record(Type.String(), Type.String()),
  operators: Type.Record(Type.String(), Type.Integer()),
  nodes: Type.Integer(),
  functions: Type.Integer(),
  parameters: Type.Number(),
  deterministic: Type.Boolean({ description: 'The same input gave the same answer twice, but for last digits.' }),
  batching: Batching,
  load_ms: Type.Number(),
  run_ms: Type.Number({ description: 'Median of a run of one row.' }),
  memory_bytes: Type.Integer({ description: 'What a process with the model holds.' }),
  model_memory_bytes: Type.Integer({ description: 'The part of it that is there for the model.' }),
});
export type ModelFacts = Static<typeof ModelFacts>;

export type Step = ModelReport['steps'][number];

export interface Report {
  verdict: 'ready' | 'failed';
  /** The step that refused it, and why; null where none did. */
  step: StepName | null;
  reason: string | null;
  steps: Step[];
  bytes: number;
  ms: number;
  /** What it was run with, and within. */
  runtime: string;
  network: boolean;
  limits: { bytes: number; memory_mb: number; step_ms: number; total_ms: number };
  inputs: ModelPort[] | null;
  outputs: ModelPort[] | null;
  facts: ModelFacts | null;
}

/** What the process is told. */
export interface Task {
  path: string;
  /** Bytes of inputs that are tried at most. */
  inputLimit: number;
  /** For how long runs are measured. */
  measureMs: number;
}

/** What the process says while it works: a line of JSON each. */
export const Said = Type.Union([
  Type.Object({ begun: Type.Enum([...steps]) }),
  Type.Object({ step: ModelReport.properties.steps.items }),
  Type.Object({ runtime: Type.String(), network: Type.Boolean() }),
  Type.Object({ inputs: Type.Array(ModelPort), outputs: Type.Array(ModelPort), facts: ModelFacts }),
]);
export type Said = Static<typeof Said>;
