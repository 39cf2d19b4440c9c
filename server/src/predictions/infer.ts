import type { Tensor } from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';
import type { ModelSpec } from '../models/models.ts';

export interface InferOptions {
  /** The outputs wanted; all of them without it. */
  outputs?: readonly string[];
  /** Aborted when nobody waits for the answer any more: what is queued is dropped. */
  signal?: AbortSignal;
  tenant: string;
  /** Milliseconds until the answer is of no use; the configuration's without it. */
  timeoutMs?: number;
}

/** Where the milliseconds went: waiting for a process, with company and under way, and in the model. */
export interface Times {
  queueMs: number;
  batchMs: number;
  computeMs: number;
}

export interface Inferred {
  outputs: Tensor[];
  times: Times;
}

/** An ONNX model, asked with typed tensors. What goes wrong is an `ApiError` that a client may see. */
export interface Infers {
  infer(model: ModelSpec, inputs: readonly Tensor[], options: InferOptions): Promise<Inferred>;
  /** What the model takes and gives; loads it where it is not loaded yet. */
  portsOf(model: ModelSpec): Promise<{ inputs: Port[]; outputs: Port[] }>;
}
