import { invalidInput, isDatatype, kindOf, roomFor, sizeOf, textProblem, type Datatype, type Tensor, type Values } from '../onnx/tensor.ts';

/** Dimensions a tensor may have, and values: far above any model's, and nothing overflows on the way. */
const mostDimensions = 32;
const mostValues = 2 ** 31 - 1;

export const datatypeAt = (given: unknown, path: string): Datatype => {
  if (typeof given === 'string' && isDatatype(given)) return given;
  throw invalidInput(`${path}.datatype`, 'must be a datatype of the protocol, such as FP32, INT64, BOOL or BYTES.');
};

export const shapeAt = (given: unknown, path: string): number[] => {
  if (!Array.isArray(given) || given.length > mostDimensions)
    throw invalidInput(`${path}.shape`, `must be a list of at most ${mostDimensions} dimensions.`);
  const shape = given.map((dimension: unknown, i) => {
    if (typeof dimension === 'number' && Number.isInteger(dimension) && dimension >= 0 && dimension <= mostValues) return dimension;
    throw invalidInput(`${path}.shape[${i}]`, `must be a whole number from 0 to ${mostValues}.`);
  });
  // A 0 must not hide what the other dimensions multiply to.
  if (shape.reduce((product, dimension) => product * Math.max(1, dimension), 1) > mostValues)
    throw invalidInput(`${path}.shape`, `multiplies to more than ${mostValues} values.`);
  return shape;
};

/** Puts one value of JSON at a place; false where it is none of the type. */
type Put = (value: unknown, at: number) => boolean;

const raw = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && 'rawJSON' in value && typeof value.rawJSON === 'string' ? value.rawJSON : null;

/** Of an integer of 64 bits: exact where the number's own text is kept, as `parseExactly` does for those that doubles round. */
const integer = (value: unknown): bigint | null => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : exact(String(value));
  const text = raw(value);
  return text === null ? null : exact(text);
};

const exact = (text: string): bigint | null => (/^-?\d{1,30}$/.test(text) ? BigInt(text) : null);

/** Whether a number of JSON may be another one than was written. */
export const doubtful = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);

const wide = { INT64: [-(2n ** 63n), 2n ** 63n - 1n], UINT64: [0n, 2n ** 64n - 1n] } as const;

const putter = (datatype: Datatype, values: Values): { put: Put; expected: string } => {
  const { range } = kindOf(datatype);
  if (datatype === 'BOOL')
    return {
      expected: 'true or false',
      put: (value, at) => {
        values[at] = Number(value);
        return typeof value === 'boolean' || value === 0 || value === 1;
      },
    };
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    const [least, most] = wide[datatype === 'UINT64' ? 'UINT64' : 'INT64'];
    return {
      expected: `a whole number from ${least} to ${most} (${datatype})`,
      put: (value, at) => {
        const number = integer(value);
        if (number === null || number < least || number > most) return false;
        values[at] = number;
        return true;
      },
    };
  }
  if (range !== null) {
    const [least, most] = range;
    return {
      expected: `a whole number from ${least} to ${most} (${datatype})`,
      put: (value, at) => {
        if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) return false;
        values[at] = value;
        return true;
      },
    };
  }
  const floats = datatype === 'FP16' ? new Float16Array(values.buffer, values.byteOffset, values.length) : values;
  return {
    expected: `a number that ${datatype} can hold`,
    put: (value, at) => {
      const number = typeof value === 'number' ? value : Number(raw(value) ?? NaN);
      floats[at] = number;
      return Number.isFinite(floats[at]);
    },
  };
};

/** The place of a value, as its path within nested or flat data. */
const placeOf = (at: number, shape: readonly number[], nested: boolean): string => {
  if (!nested) return `[${at}]`;
  const indexes: number[] = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    indexes.unshift(at % shape[i]!);
    at = Math.floor(at / shape[i]!);
  }
  return indexes.map((index) => `[${index}]`).join('');
};

/** Calls `put` for each value of nested lists that have just this shape. */
const walk = (
  given: unknown,
  shape: readonly number[],
  depth: number,
  at: number,
  path: string,
  put: (value: unknown, at: number) => void,
): number => {
  const length = shape[depth]!;
  if (!Array.isArray(given)) throw invalidInput(path, `must be a list of ${length}: its shape is [${shape.join(', ')}].`);
  if (given.length !== length)
    throw invalidInput(path, `has ${given.length} items; its shape is [${shape.join(', ')}], so that it must have ${length}.`);
  for (let i = 0; i < length; i++)
    if (depth === shape.length - 1) put(given[i], at++);
    else at = walk(given[i], shape, depth + 1, at, `${path}[${i}]`, put);
  return at;
};

/**
 * The values of a tensor out of JSON, nested as its shape says or flat in row-major order; every element is checked, as
 * ONNX Runtime would coerce. Throws `invalid_input` with the path of what is wrong.
 */
export const fromJson = (given: unknown, datatype: Datatype, shape: readonly number[], path: string): Tensor['data'] => {
  if (!Array.isArray(given)) throw invalidInput(path, 'must be a list.');
  const size = sizeOf(shape);
  const nested = shape.length > 1 && given.some(Array.isArray);
  const count = nested ? shape[0]! : size;
  if (given.length !== count) throw invalidInput(path, `has ${given.length} items; its shape [${shape.join(', ')}] needs ${count}.`);
  if (datatype === 'BYTES') {
    const strings: string[] = [];
    each(given, nested, shape, path, (value, at) => {
      const problem = typeof value === 'string' ? textProblem(value) : 'must be a string (BYTES).';
      if (problem !== null) throw invalidInput(path + placeOf(at, shape, nested), problem);
      strings.push(String(value));
    });
    return strings;
  }
  // Room is made for what is there, not for what a shape promises.
  let found = 0;
  if (nested) each(given, nested, shape, path, () => found++);
  const values = roomFor(datatype, nested ? found : size);
  const { put, expected } = putter(datatype, values);
  each(given, nested, shape, path, (value, at) => {
    if (!put(value, at)) throw invalidInput(path + placeOf(at, shape, nested), `must be ${expected}.`);
  });
  return values;
};

const each = (
  given: unknown[],
  nested: boolean,
  shape: readonly number[],
  path: string,
  put: (value: unknown, at: number) => void,
): void => {
  if (nested) walk(given, shape, 0, 0, path, put);
  else for (let i = 0; i < given.length; i++) put(given[i], i);
};

/** The values as the text of a flat list, integers to the digit; null where one is not finite, which JSON cannot say. */
export const toJson = ({ datatype, data }: Pick<Tensor, 'datatype' | 'data'>): string | null => {
  if (Array.isArray(data)) return JSON.stringify(data);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return `[${data.join()}]`;
  if (datatype === 'BOOL') return JSON.stringify(Array.from(data, (value) => value !== 0));
  const numbers = datatype === 'FP16' ? new Float16Array(data.buffer, data.byteOffset, data.length) : data;
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return null;
  return JSON.stringify(Array.from(numbers));
};
