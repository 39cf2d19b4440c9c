import { parseExactly } from '../../formats/exact-json.ts';
import { ApiError } from '../../lib/errors.ts';
import { invalidInput, type Tensor } from '../onnx/tensor.ts';
import { fromBytes, toBytes } from './binary.ts';
import { datatypeAt, doubtful, fromJson, shapeAt, toJson } from './elements.ts';

/** Tells how many bytes of a body are JSON; the bytes of tensors follow them. */
export const lengthHeader = 'inference-header-content-length';

type Given = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Given => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Parameters are strings, numbers and booleans; what is absent is empty. */
export const parametersAt = (given: unknown, path: string): Given => {
  if (given === undefined || given === null) return {};
  if (!isObject(given)) throw invalidInput(path, 'must be an object.');
  for (const [name, value] of Object.entries(given))
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw invalidInput(`${path}.${name}`, 'must be a string, a number or a boolean.');
  return given;
};

/** A parameter that is a switch. */
export const flagAt = (parameters: Given, name: string, path: string): boolean | undefined => {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalidInput(`${path}.${name}`, 'must be true or false.');
};

/** A body as it came: its JSON, and the bytes of tensors, which are taken one after another. */
export class Message {
  readonly json: Given;
  readonly #text: string;
  readonly #rest: Buffer;
  #at = 0;
  #exact: Given | null = null;

  /** `header`: of `Inference-Header-Content-Length`; without it all of the body is JSON. */
  constructor(body: Buffer, header: string | undefined) {
    const length = header === undefined ? body.length : lengthOf(header, body.length);
    this.#rest = body.subarray(length);
    this.#text = textOf(body.subarray(0, length));
    const json = parse(this.#text);
    if (!isObject(json)) throw new ApiError('invalid_input', 'The body must be a JSON object.');
    this.json = json;
  }

  /** The tensors under `key`, each in JSON or as bytes. */
  tensors(key: 'inputs' | 'outputs'): Tensor[] {
    const given = this.json[key];
    if (!Array.isArray(given)) throw invalidInput(key, 'must be a list of tensors.');
    const names = new Set<string>();
    const tensors = given.map((tensor: unknown, i) => {
      if (!isObject(tensor)) throw invalidInput(`${key}[${i}]`, 'must be a tensor: an object with name, shape, datatype and data.');
      const { name } = tensor;
      if (typeof name !== 'string' || name === '') throw invalidInput(`${key}[${i}].name`, 'must be the name of a tensor.');
      if (names.has(name)) throw invalidInput(`${key}.${name}`, 'is given twice.');
      names.add(name);
      return this.#tensor(tensor, name, key, i);
    });
    if (this.#at !== this.#rest.length)
      throw new ApiError(
        'invalid_input',
        `The tensors' binary_data_size add up to ${this.#at} bytes; ${this.#rest.length} follow the JSON.`,
      );
    return tensors;
  }

  #tensor(tensor: Given, name: string, key: 'inputs' | 'outputs', i: number): Tensor {
    const path = `${key}.${name}`;
    const datatype = datatypeAt(tensor['datatype'], path);
    const shape = shapeAt(tensor['shape'], path);
    const parameters = parametersAt(tensor['parameters'], `${path}.parameters`);
    if (Object.keys(parameters).some((parameter) => parameter.startsWith('shared_memory_')))
      throw new ApiError('not_implemented', `${path}: tensors in shared memory are not supported; send their bytes.`);
    const size = parameters['binary_data_size'];
    if (size === undefined) {
      let given = tensor['data'];
      if (given === undefined) throw invalidInput(`${path}.data`, 'is missing.');
      if ((datatype === 'INT64' || datatype === 'UINT64') && anyDoubtful(given)) given = this.#exactly(key, i);
      return { name, datatype, shape, data: fromJson(given, datatype, shape, `${path}.data`) };
    }
    if (tensor['data'] !== undefined) throw invalidInput(path, 'has both data and binary_data_size; give one of them.');
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw invalidInput(`${path}.parameters.binary_data_size`, 'must be a number of bytes.');
    if (size > this.#rest.length - this.#at)
      throw invalidInput(
        `${path}.parameters.binary_data_size`,
        `is ${size}, but only ${this.#rest.length - this.#at} bytes are left. Is ${lengthHeader} right?`,
      );
    const bytes = this.#rest.subarray(this.#at, (this.#at += size));
    return { name, datatype, shape, data: fromBytes(bytes, datatype, shape, path) };
  }

  /** The same data, read once more: numbers that a double rounds keep their text. Only such numbers cost it. */
  #exactly(key: string, i: number): unknown {
    this.#exact ??= parseExactly(this.#text) as Given;
    const tensors = this.#exact[key];
    const tensor: unknown = Array.isArray(tensors) ? tensors[i] : undefined;
    return isObject(tensor) ? tensor['data'] : undefined;
  }
}

/** Lists deeper than any shape are of no interest: reading them as a tensor will fail. */
const anyDoubtful = (given: unknown, depth = 0): boolean =>
  Array.isArray(given) ? depth < 32 && given.some((item) => anyDoubtful(item, depth + 1)) : doubtful(given);

const lengthOf = (header: string, most: number): number => {
  const length = /^\d{1,15}$/.test(header) ? Number(header) : NaN;
  if (length <= most) return length;
  throw new ApiError(
    'invalid_input',
    `Inference-Header-Content-Length must be the number of bytes of JSON at the beginning of the body, which has ${most}; got '${header.slice(0, 50)}'.`,
  );
};

const textOf = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError('invalid_input', `The JSON of the body is not UTF-8. Binary tensors need the header ${lengthHeader}.`);
  }
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('invalid_input', 'The body is not valid JSON. (NaN and Infinity are not; send such tensors as binary data.)');
  }
};

/**
 * Tensors as a message tells of them: each its JSON, and the bytes that follow, in order. Throws `executor_error` for a
 * tensor in JSON that holds what JSON cannot.
 */
export const written = (tensors: readonly Tensor[], binary: (tensor: Tensor) => boolean): { texts: string[]; parts: Uint8Array[] } => {
  const parts: Uint8Array[] = [];
  const texts = tensors.map((tensor) => {
    const head = `{"name":${JSON.stringify(tensor.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join()}]`;
    if (binary(tensor)) {
      const bytes = toBytes(tensor);
      parts.push(bytes);
      return `${head},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
    }
    const data = toJson(tensor);
    if (data === null)
      throw new ApiError(
        'executor_error',
        `The tensor '${tensor.name}' holds NaN or an infinite number, which JSON cannot say. Ask for it with "binary_data": true.`,
      );
    return `${head},"data":${data}}`;
  });
  return { texts, parts };
};
