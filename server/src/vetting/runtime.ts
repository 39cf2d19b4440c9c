import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { typed, type Values } from '../executors/onnx/runs.ts';
import { bytesOf, datatypeOf, kindOf, type Tensor } from '../executors/onnx/tensor.ts';
import type { Trial } from './batch.ts';
import type { Plan, Port, Sizes } from './synthesize.ts';

/** Ends the vetting: what is thrown here is the file's fault. */
export class Failed extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** One line, without the paths and signatures of its sources that the runtime puts before. */
export const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .split('\n')[0]!
    .replace(/(Load model from )\S+/, '$1the file')
    .replaceAll(
      /Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /g,
      (_, operator: string, name: string) => `${operator}${name ? ` '${name}'` : ''}: `,
    )
    .replaceAll(/\/onnxruntime_src\/\S+ /g, '')
    .replaceAll(/[\w:<>*& ]+::[\w:]+\([^)]*\)( const)? /g, '')
    .slice(0, 1_000)
    .toWellFormed();

/** Three digits are more than any measurement here is worth. */
export const round = (value: number): number => Number(value.toPrecision(3));

const toRuntime = ({ datatype, shape, data }: Tensor): OrtTensor => {
  if (Array.isArray(data)) return new OrtTensor('string', data, shape);
  const type = kindOf(datatype).type as Values;
  return new OrtTensor(type, typed(type, data.buffer as ArrayBuffer, data.byteOffset, data.length), shape);
};

const fromRuntime = (name: string, tensor: OrtTensor): Tensor => {
  const datatype = datatypeOf(tensor.type);
  if (datatype === null) throw new Failed(`The output ${name} has type ${tensor.type}, which cannot be served.`);
  const shape = [...tensor.dims];
  if (Array.isArray(tensor.data)) return { name, datatype, shape, data: tensor.data };
  const bytes = bytesOf(tensor.data);
  return { name, datatype, shape, data: kindOf(datatype).view(bytes.buffer, bytes.byteOffset, tensor.size) };
};

export const trialOf = (session: InferenceSession, inputs: readonly Port[], sizes: Sizes, plan: Plan): Trial => ({
  inputs,
  sizes,
  plan,
  run: async (tensors) => {
    const results = await session.run(Object.fromEntries(tensors.map((tensor) => [tensor.name, toRuntime(tensor)])));
    return session.outputNames.map((name) => fromRuntime(name, results[name]!));
  },
});

export const portsOf = (metadata: readonly InferenceSession.ValueMetadata[]): Port[] =>
  metadata.map((port) => ({
    name: port.name,
    type: port.isTensor ? port.type : 'not a tensor',
    shape: port.isTensor ? [...port.shape] : [],
  }));

/** Loads the file at `path`; throws what ONNX Runtime says. */
export const open = (path: string): Promise<InferenceSession> =>
  // By path, never from memory: a model in memory may read external data from the working directory.
  InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 4 });
