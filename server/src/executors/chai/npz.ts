import { inflateRawSync } from 'node:zlib';

/** An array out of a NumPy archive, its numbers in order. */
export interface NumpyArray {
  shape: number[];
  values: number[];
}

const readers: Record<string, { size: number; read: (view: DataView, at: number) => number }> = {
  '<f4': { size: 4, read: (view, at) => view.getFloat32(at, true) },
  '<f8': { size: 8, read: (view, at) => view.getFloat64(at, true) },
  '<i4': { size: 4, read: (view, at) => view.getInt32(at, true) },
  '<i8': { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  '|b1': { size: 1, read: (view, at) => view.getUint8(at) },
};

/** Elements that are read of one array: scores are few. */
const mostValues = 4_000_000;

const readArray = (bytes: Buffer): NumpyArray => {
  if (bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error('not a NumPy array');
  const long = bytes[6]! >= 2;
  const length = long ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const start = (long ? 12 : 10) + length;
  const header = bytes.toString('latin1', long ? 12 : 10, start);
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  const reader = readers[type];
  if (reader === undefined) throw new Error(`arrays of '${type}' are not read`);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > mostValues || start + count * reader.size > bytes.length) throw new Error('the array is larger than its file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { shape, values: Array.from({ length: count }, (_, i) => reader.read(view, start + i * reader.size)) };
};

/** The arrays of a NumPy archive (a ZIP file of .npy), by name. Throws where it is none, or is cut off. */
export const readNpz = (file: Buffer): Record<string, NumpyArray> => {
  const end = file.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('not a NumPy archive');
  const arrays: Record<string, NumpyArray> = {};
  let at = file.readUInt32LE(end + 16);
  for (let entries = file.readUInt16LE(end + 10); entries > 0; entries--) {
    const [method, packed, size] = [file.readUInt16LE(at + 10), file.readUInt32LE(at + 20), file.readUInt32LE(at + 24)];
    const [nameBytes, extra, comment, local] = [
      file.readUInt16LE(at + 28),
      file.readUInt16LE(at + 30),
      file.readUInt16LE(at + 32),
      file.readUInt32LE(at + 42),
    ];
    const name = file.toString('utf8', at + 46, at + 46 + nameBytes);
    const data = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const bytes = file.subarray(data, data + packed);
    if (size > 8 * mostValues + 1_000) throw new Error(`${name} is too large`);
    arrays[name.replace(/\.npy$/, '')] = readArray(method === 0 ? bytes : inflateRawSync(bytes, { maxOutputLength: size }));
    at += 46 + nameBytes + extra + comment;
  }
  return arrays;
};
