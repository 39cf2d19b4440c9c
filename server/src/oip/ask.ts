import { ApiError } from '../lib/errors.ts';
import { fromBytes } from '../executors/oip/binary.ts';
import { flagAt, isObject, Message, parametersAt } from '../executors/oip/message.ts';
import { datatypeOf, invalidInput, kindOf, type Tensor } from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';

/** What a request asks of a model. */
export interface Ask {
  id?: string;
  inputs: Tensor[];
  /** The outputs wanted, in this order; null: all of them. */
  outputs: string[] | null;
  /** Whether an output is to come as bytes. */
  binary: (output: string) => boolean;
  /** Milliseconds until the answer is of no use. */
  timeoutMs?: number;
}

type Given = Readonly<Record<string, unknown>>;

/** What a model here cannot do: keep a state from one request to the next. */
const stateful = ['sequence_id', 'sequence_start', 'sequence_end'];

const wholeAt = (parameters: Given, name: string, path: string): number | undefined => {
  const value = parameters[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidInput(`${path}.${name}`, 'must be a whole number from 0.');
};

const readOutputs = (given: unknown): { name: string; binary: boolean | undefined }[] | null => {
  if (given === undefined || given === null) return null;
  if (!Array.isArray(given)) throw invalidInput('outputs', 'must be a list.');
  // As Triton has it, and its clients send: an empty list is all of them.
  if (given.length === 0) return null;
  const outputs = given.map((output: unknown, i) => {
    if (!isObject(output) || typeof output['name'] !== 'string') throw invalidInput(`outputs[${i}].name`, 'must be the name of an output.');
    const { name } = output;
    const parameters = parametersAt(output['parameters'], `outputs.${name}.parameters`);
    if (Number(parameters['classification'] ?? 0) !== 0 || Object.keys(parameters).some((key) => key.startsWith('shared_memory_')))
      throw new ApiError('not_implemented', `outputs.${name}: neither classification nor shared memory is supported.`);
    return { name, binary: flagAt(parameters, 'binary_data', `outputs.${name}.parameters`) };
  });
  if (new Set(outputs.map(({ name }) => name)).size < outputs.length) throw invalidInput('outputs', 'name an output twice.');
  return outputs;
};

/** Reads the body of an inference. Throws `invalid_input` with the path of what is wrong. */
export const readAsk = (body: Buffer, header: string | undefined): Ask => {
  const message = new Message(body, header);
  const { id } = message.json;
  if (id !== undefined && typeof id !== 'string') throw invalidInput('id', 'must be a string.');
  const parameters = parametersAt(message.json['parameters'], 'parameters');
  const sequence = stateful.find((name) => parameters[name] !== undefined && parameters[name] !== 0 && parameters[name] !== false);
  if (sequence !== undefined)
    throw new ApiError('not_implemented', `parameters.${sequence}: models here keep no state from one request to the next.`);
  wholeAt(parameters, 'priority', 'parameters');
  const all = flagAt(parameters, 'binary_data_output', 'parameters') ?? false;
  const timeout = wholeAt(parameters, 'timeout', 'parameters');
  const outputs = readOutputs(message.json['outputs']);
  return {
    ...(id === undefined ? {} : { id }),
    inputs: message.tensors('inputs'),
    outputs: outputs?.map(({ name }) => name) ?? null,
    binary: (name) => outputs?.find((output) => output.name === name)?.binary ?? all,
    // Microseconds, as Triton's; 0 is none.
    ...(timeout ? { timeoutMs: Math.max(1, Math.ceil(timeout / 1000)) } : {}),
  };
};

/**
 * A request that is the bytes of one tensor and nothing else (`Inference-Header-Content-Length: 0`). The model's one
 * input says what they are; one dimension at most may vary, not counting the first, which is a batch of 1 then.
 */
export const readRaw = (body: Buffer, ports: readonly Port[]): Ask => {
  const [port] = ports;
  if (ports.length !== 1 || !port)
    throw new ApiError(
      'invalid_input',
      `Bytes alone are for models of one input; this one has ${ports.length}. Send the JSON that names them.`,
    );
  const path = `inputs.${port.name}`;
  const datatype = datatypeOf(port.type);
  if (!datatype) throw invalidInput(path, `has type ${port.type}, which cannot be sent.`);
  const open = port.shape.flatMap((dimension, i) => (typeof dimension === 'string' ? [i] : []));
  if (open.length > 2 || (open.length === 2 && open[0] !== 0))
    throw invalidInput(path, `has ${open.length} dimensions that may vary; bytes alone tell of one at most. Send the JSON with its shape.`);
  const shape = port.shape.map((dimension) => (typeof dimension === 'string' ? 1 : dimension));
  const product = shape.reduce((size, dimension) => size * dimension, 1);
  let data: Tensor['data'];
  if (datatype === 'BYTES') {
    if (product !== 1) throw invalidInput(path, 'holds more than one string; send the JSON with its shape.');
    // The whole body is the element, without a length before it.
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(body.length);
    data = fromBytes(Buffer.concat([length, body]), datatype, shape, path);
  } else {
    const unit = product * kindOf(datatype).bytes;
    const varies = open.at(-1);
    if (varies !== undefined && unit > 0) {
      if (body.length % unit !== 0 || body.length === 0) throw invalidInput(path, `takes a multiple of ${unit} bytes, not ${body.length}.`);
      shape[varies] = body.length / unit;
    }
    data = fromBytes(body, datatype, shape, path);
  }
  return { inputs: [{ name: port.name, datatype, shape, data }], outputs: null, binary: () => true };
};
