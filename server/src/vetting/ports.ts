import { datatypeOf, type Tensor } from '../executors/onnx/tensor.ts';
import { halfValue } from './synthesize.ts';
import type { Port } from './walk.ts';

/** What is wrong, and what to do about it. */
export interface Problem {
  reason: string;
  hint: string | null;
  /** It depends on the values that went in: others may do. */
  values: boolean;
}

const problem = (reason: string, hint: string | null = null, values = false): Problem => ({ reason, hint, values });

const kindHint: Record<string, string> = {
  bfloat16: 'Cast it to float32 inside the model.',
  complex64: 'Give its real and imaginary parts as two tensors.',
  complex128: 'Give its real and imaginary parts as two tensors.',
  sequence: 'Give a tensor instead; scikit-learn models are converted with options={"zipmap": False}.',
  map: 'Give a tensor instead; scikit-learn models are converted with options={"zipmap": False}.',
  optional: 'Make it a tensor that is always there.',
};

/** Names become the keys of JSON objects, and go through C. */
const badName = (name: string): string | null => {
  if (name === '') return 'has no name';
  if (name === '__proto__') return "has the name '__proto__', which JSON objects cannot safely have";
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(name)) return `has a control character in its name ${JSON.stringify(name)}`;
  return name.length > 256 ? `has a name of ${name.length} characters; at most 256 are allowed` : null;
};

/** Whether what the file declares can be served at all: tensors of types that have a place in requests, each with a name of its own. */
export const checkPorts = (inputs: readonly Port[], outputs: readonly Port[]): Problem | null => {
  if (outputs.length === 0) return problem('It has no outputs.');
  for (const [kind, ports] of [
    ['input', inputs],
    ['output', outputs],
  ] as const) {
    const names = new Set<string>();
    for (const [index, { name, type, shape }] of ports.entries()) {
      const wrong = badName(name);
      if (wrong) return problem(`The ${kind} ${index} ${wrong}.`, 'Rename it before the model is exported.');
      if (names.has(name)) return problem(`Two ${kind}s have the name ${name}.`, 'Rename one before the model is exported.');
      names.add(name);
      if (datatypeOf(type) === null)
        return problem(
          `The ${kind} ${name} is ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}, which cannot be served.`,
          kindHint[type] ?? 'Cast it inside the model to a type that can be: float32, int64, bool, string.',
        );
      if (shape === null && kind === 'input')
        return problem(`The input ${name} has no shape, not even a rank.`, 'Declare one: a dimension that varies is a name, such as N.');
      if (shape?.some((dimension) => typeof dimension === 'number' && dimension > 2 ** 31))
        return problem(`The ${kind} ${name} has a dimension of more than 2^31.`);
    }
  }
  return null;
};

/** Bytes that the outputs of one run may take. */
const mostBytes = 512 * 1024 * 1024;

const notFinite = ({ datatype, data }: Tensor): number => {
  if (datatype === 'FP16' && data instanceof Uint16Array) return data.findIndex((bits) => !Number.isFinite(halfValue(bits)));
  if (data instanceof Float32Array || data instanceof Float64Array) return data.findIndex((value) => !Number.isFinite(value));
  return -1;
};

/** Whether what came out of a run can be answered: finite, not too large, of the shapes that the file declares. */
export const checkOutputs = (
  outputs: readonly Tensor[],
  declared: readonly { name: string; shape?: readonly (number | string)[] }[],
): Problem | null => {
  let bytes = 0;
  for (const [index, output] of outputs.entries()) {
    const { name, shape, data } = output;
    const told = declared[index]?.shape;
    if (told && (told.length !== shape.length || told.some((size, axis) => typeof size === 'number' && size !== shape[axis])))
      return problem(
        `The output ${name} has shape [${shape.join(', ')}]; the file declares [${told.join(', ')}].`,
        'Run onnx.shape_inference on the model, or correct its outputs.',
      );
    bytes += Array.isArray(data) ? data.reduce((sum, text) => sum + text.length, 0) : data.byteLength;
    if (bytes > mostBytes)
      return problem(`Its outputs take more than ${mostBytes / 2 ** 20} MB for one row.`, 'Give less: the best few instead of all.');
    const at = notFinite(output);
    if (at >= 0)
      return problem(
        `The output ${name} has ${String(data[at])} at ${at}, which is no finite number.`,
        'JSON has no infinity and no NaN: limit the values inside the model.',
        true,
      );
  }
  return null;
};
