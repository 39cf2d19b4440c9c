/** 32-bit FNV-1a over UTF-16 code units: cheap, and the same everywhere. */
const fnv = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

/** A vector of length 1 that depends on the input alone: xorshift32 seeded with the input's hash. */
export const vectorOf = (input: string, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions);
  let state = fnv(input) || 1;
  let sum = 0;
  for (let i = 0; i < dimensions; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const value = state / 2 ** 31;
    vector[i] = value;
    sum += value * value;
  }
  const length = Math.sqrt(sum);
  for (let i = 0; i < dimensions; i++) vector[i] = vector[i]! / length;
  return vector;
};

/** As OpenAI encodes it: little-endian float32 in base64. */
export const base64Of = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');

/** Six digits: what float32 holds, without the tail that its conversion to a double shows. */
export const jsonOf = (vector: Float32Array): string => `[${Array.from(vector, (value) => Number(value.toPrecision(6))).join()}]`;
