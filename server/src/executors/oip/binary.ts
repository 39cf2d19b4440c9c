import { bytesOf, invalidInput, kindOf, sizeOf, textProblem, type Datatype, type Tensor } from '../onnx/tensor.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const textAt = (bytes: Buffer, path: string): string => {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidInput(path, 'is not UTF-8; tensors of strings hold nothing else here.');
  }
  const problem = textProblem(text);
  if (problem !== null) throw invalidInput(path, problem);
  return text;
};

/** Each element after its length, four bytes of it. */
const stringsOf = (bytes: Buffer, size: number, path: string): string[] => {
  const strings: string[] = [];
  let at = 0;
  while (strings.length < size) {
    if (at + 4 > bytes.length) throw invalidInput(path, `ends after ${strings.length} of ${size} elements.`);
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) throw invalidInput(`${path}[${strings.length}]`, 'says it is longer than what follows.');
    strings.push(textAt(bytes.subarray(at + 4, end), `${path}[${strings.length}]`));
    at = end;
  }
  if (at !== bytes.length) throw invalidInput(path, `has ${bytes.length - at} bytes after its ${size} elements.`);
  return strings;
};

/**
 * The values of a tensor out of its bytes: little-endian, row-major, as the binary extension has them. They are not
 * copied where they begin at a multiple of their size. Throws `invalid_input` where they are no such tensor.
 */
export const fromBytes = (bytes: Buffer, datatype: Datatype, shape: readonly number[], path: string): Tensor['data'] => {
  const size = sizeOf(shape);
  if (datatype === 'BYTES') return stringsOf(bytes, size, path);
  const kind = kindOf(datatype);
  if (bytes.length !== size * kind.bytes)
    throw invalidInput(path, `has ${bytes.length} bytes; ${datatype} of shape [${shape.join(', ')}] takes ${size * kind.bytes}.`);
  if (datatype === 'BOOL') {
    const wrong = bytes.findIndex((value) => value > 1);
    if (wrong >= 0) throw invalidInput(`${path}[${wrong}]`, 'must be 0 or 1 (BOOL).');
  }
  if (bytes.byteOffset % kind.bytes === 0) return kind.view(bytes.buffer, bytes.byteOffset, size);
  const aligned = new ArrayBuffer(bytes.length);
  new Uint8Array(aligned).set(bytes);
  return kind.view(aligned, 0, size);
};

export const toBytes = ({ data }: Pick<Tensor, 'data'>): Uint8Array => {
  if (!Array.isArray(data)) return bytesOf(data);
  return Buffer.concat(
    data.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
};
