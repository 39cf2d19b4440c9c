/** An array of NumPy's: its sizes, and its values with the last index running fastest. */
export interface NpArray {
  shape: readonly number[];
  values: Float32Array;
}

const wrong = (what: string): Error => new Error(`This is no archive of NumPy's: ${what}.`);

/** One array in NumPy's own format (numpy/lib/format.py): a header that is a Python literal, then the values. */
export const readNpy = (bytes: Uint8Array): NpArray => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || new TextDecoder('latin1').decode(bytes.subarray(1, 6)) !== 'NUMPY')
    throw wrong('an array does not begin as one');
  const [size, from] = bytes[6]! > 1 ? [view.getUint32(8, true), 12] : [view.getUint16(8, true), 10];
  const head = new TextDecoder('latin1').decode(bytes.subarray(from, from + size));
  const [, type] = /'descr': *'([^']+)'/.exec(head) ?? [];
  const [, sizes] = /'shape': *\(([^)]*)\)/.exec(head) ?? [];
  const width = { '<f4': 4, '<f8': 8 }[type ?? ''];
  if (width === undefined || sizes === undefined || !head.includes("'fortran_order': False"))
    throw wrong(`its array is of ${type ?? 'no type'}`);
  const shape = sizes.split(',').flatMap((each) => (each.trim() === '' ? [] : [Number(each)]));
  const count = shape.reduce((product, each) => product * each, 1);
  const start = from + size;
  if (bytes.length < start + count * width) throw wrong('its array ends early');
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = width === 4 ? view.getFloat32(start + 4 * i, true) : view.getFloat64(start + 8 * i, true);
  return { shape, values };
};

const inflate = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

/** The array of a name in a ZIP, stored or deflated. Sizes are the directory's: `savez` leaves those before the data to ZIP64. */
export const readNpz = async (bytes: Uint8Array<ArrayBuffer>, name: string): Promise<NpArray> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06_05_4b_50) end--;
  if (end < 0) throw wrong('it has no directory');
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [method, packed, nameSize, extra, comment, local] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 20, true),
      view.getUint16(at + 28, true),
      view.getUint16(at + 30, true),
      view.getUint16(at + 32, true),
      view.getUint32(at + 42, true),
    ];
    if (new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize)) === `${name}.npy`) {
      const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const data = bytes.subarray(from, from + packed);
      if (method !== 0 && method !== 8) throw wrong(`its way of packing, ${method}, is not known`);
      return readNpy(method === 8 ? await inflate(data) : data);
    }
    at += 46 + nameSize + extra + comment;
  }
  throw wrong(`it has no ${name}`);
};
