import { LoadError } from '../executors/executor.ts';
import { Child } from '../executors/onnx/child-process.ts';
import { checkFeatures } from '../executors/onnx/onnx.ts';
import { onnxOptions } from '../executors/onnx/options.ts';
import { checkColumns } from '../executors/onnx/outputs.ts';
import { datatypeOf } from '../executors/onnx/tensor.ts';
import { readOptions } from '../executors/options.ts';
import type { Logger } from '../lib/log.ts';
import { materialize } from '../models/place.ts';
import { modelKey, type ModelSpec } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import type { ModelFigures } from './figures.ts';
import { layoutOf, type Facts } from './layout.ts';
import { Served } from './served.ts';

export interface OpenParts {
  /** Where the files of registered models are; without it they cannot be opened. */
  storage?: Pick<Storage, 'stream'>;
  log: Logger;
  scratch: string;
  /** The descriptor of the host's features of molecules. */
  features?: number | null;
  /** Rows that may wait for one model. */
  queueRows: number;
  /** Milliseconds for which rows wait for company, unless the model's options say. */
  delayMs: number;
}

/** RDKit's memory creeps: a process gives way to a new one after so many molecules. */
const recycleAfter = 50_000;

/** Loads an ONNX model into processes of its own. Rejects with a `LoadError` that says why where it cannot. */
export const openServed = async (
  model: ModelSpec,
  figures: ModelFigures,
  facts: Facts | null,
  { storage, log, scratch, features = null, queueRows, delayMs }: OpenParts,
): Promise<Served> => {
  if (model.file && !storage) throw new LoadError('The files of registered models cannot be reached from here.');
  const placed = storage ? await materialize(storage, model, scratch) : { model, [Symbol.asyncDispose]: async () => {} };
  const options = readOptions(onnxOptions, placed.model.options);
  const smiles = options.preprocess === 'smiles-morgan2048-desc16';
  const child = {
    path: options.path!,
    smiles,
    features,
    scratch,
    memoryLimitMb: options.memory_limit_mb ?? 2048,
    loadTimeoutMs: 60_000,
  };
  let first: Child | null = null;
  try {
    first = await Child.start(child, new AbortController().signal);
    const { inputs, outputs } = first.ports;
    if (smiles) checkFeatures(inputs, outputs);
    for (const { name, type } of [...inputs, ...outputs])
      if (datatypeOf(type) === null) throw new LoadError(`The model's '${name}' has type ${type}, which is not supported.`);
    const { batching = null, outputs: columns = null } = options;
    const layout = layoutOf({ inputs, outputs }, { smiles, columns, facts, batching });
    checkColumns(outputs, layout.axes !== null, columns ?? undefined);
    const settings = {
      ...child,
      replicas: options.replicas ?? 1,
      runMs: options.timeout_ms ?? 10_000,
      delayMs: (batching === false ? null : batching?.delay_ms) ?? delayMs,
      queueRows,
      recycleAfter: smiles ? recycleAfter : Infinity,
    };
    return new Served(settings, layout, figures, log.child({ model: modelKey(model) }), first, placed);
  } catch (error) {
    await first?.end();
    await placed[Symbol.asyncDispose]();
    throw error;
  }
};
