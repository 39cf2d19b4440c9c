import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '@sluice/contract';
import { lengthHeader } from '../executors/oip/message.ts';
import { invalidInput, type Tensor } from '../executors/onnx/tensor.ts';
import { ApiError } from '../lib/errors.ts';
import { didYouMean } from '../lib/suggest.ts';
import type { ModelSpec } from '../models/models.ts';
import type { Infers } from '../predictions/infer.ts';
import type { Ports } from './about.ts';
import { answerOf, type Answer } from './answer.ts';
import { readAsk, readRaw, type Ask } from './ask.ts';
import { limitOf, readBody } from './body.ts';
import type { Statistics } from './statistics.ts';

export interface InferParts {
  infers: Infers;
  statistics: Statistics;
  /** Bytes a request may have. */
  maxBytes: number;
}

const checkOutputs = (wanted: readonly string[] | null, { outputs }: Ports): void => {
  const names = outputs.map(({ name }) => name);
  for (const name of wanted ?? [])
    if (!names.includes(name))
      throw invalidInput(`outputs.${name}`, `is not known; this model gives ${names.join(', ')}.${didYouMean(name, names)}`);
};

/** Rows are what the first dimension counts, where it may vary. */
const rowsOf = ({ inputs }: Ports, { inputs: given }: Ask): number => {
  const [port] = inputs;
  const tensor = given.find(({ name }) => name === port?.name);
  return port && typeof port.shape[0] === 'string' ? (tensor?.shape[0] ?? 1) : 1;
};

/** In the order they were asked for, or as the model has them. */
const ordered = (outputs: readonly Tensor[], names: readonly string[]): Tensor[] =>
  names.flatMap((name) => outputs.find((output) => output.name === name) ?? []);

const plain: Partial<Record<ErrorCode, string>> = {
  executor_error: 'The model failed on these inputs.',
  model_not_ready: 'The model could not be loaded.',
};

/** What the runtime says of a model or a run that failed is C++, and may name files: it is for the log. */
export const asked = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (error) {
    const message = error instanceof ApiError ? plain[error.code] : undefined;
    if (message === undefined || !(error instanceof ApiError)) throw error;
    throw new ApiError(error.code, message, { headers: error.headers, cause: error });
  }
};

/** One inference, from the bytes of a request to those of its answer. */
export const inferWith = async (
  { infers, statistics, maxBytes }: InferParts,
  model: ModelSpec,
  request: IncomingMessage,
  tenant: string,
  signal: AbortSignal,
): Promise<Answer> => {
  const header = [request.headers[lengthHeader] ?? []].flat()[0];
  const began = performance.now();
  const head = /^\d{1,15}$/.test(header ?? '') ? Number(header) : null;
  const body = await readBody(request, limitOf(maxBytes, head), head ?? 0);
  const came = performance.now();
  try {
    const ports = await asked(infers.portsOf(model));
    const loaded = performance.now();
    const ask = header === '0' ? readRaw(body, ports.inputs) : readAsk(body, header);
    checkOutputs(ask.outputs, ports);
    const read = performance.now();
    const { outputs, times } = await asked(
      infers.infer(model, ask.inputs, {
        tenant,
        signal,
        ...(ask.outputs && { outputs: ask.outputs }),
        ...(ask.timeoutMs === undefined ? {} : { timeoutMs: ask.timeoutMs }),
      }),
    );
    const inferred = performance.now();
    const answer = answerOf(model, ask, ordered(outputs, ask.outputs ?? ports.outputs.map(({ name }) => name)));
    const ended = performance.now();
    const input = came - began + read - loaded;
    statistics.succeeded(model, rowsOf(ports, ask), { total: ended - began, input, output: ended - inferred, times });
    return answer;
  } catch (error) {
    statistics.failed(model, performance.now() - began);
    throw error;
  }
};
