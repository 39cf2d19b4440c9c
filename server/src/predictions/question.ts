import { sampleOf } from '../cache/worth.ts';
import { bytesOf } from '../executors/onnx/tensor.ts';
import type { Question } from './ask.ts';
import type { Form } from './inputs.ts';

/**
 * All that an answer depends on beside the model, as bytes: the form it is given in, the outputs wanted, and each tensor
 * with its name, type, shape and values, or the SMILES. Two requests have the same bytes exactly when the model is asked
 * the same and the answer is written the same.
 */
export const questionBytes = (form: Form, questions: readonly Question[], wanted: readonly string[] | null): Uint8Array => {
  const data: Uint8Array[] = [];
  const head = questions.map(({ rows, smiles, tensors }) => [
    rows,
    smiles,
    tensors.map(({ name, datatype, shape, data: values }) => {
      if (Array.isArray(values)) return [name, datatype, shape, values];
      data.push(bytesOf(values));
      return [name, datatype, shape];
    }),
  ]);
  // The values follow in the order of the head, which says how long each is.
  return Buffer.concat([Buffer.from(`${JSON.stringify([form, wanted, head])}\n`), ...data]);
};

/** A number that is the same for the same question, made of a few bytes of its first tensor or molecule. */
export const sampleOfQuestion = ([first]: readonly Question[]): number => {
  if (first === undefined) return 0;
  const values = first.smiles?.[0] ?? first.tensors[0]?.data ?? '';
  if (typeof values === 'string') return sampleOf(values);
  return sampleOf(Array.isArray(values) ? (values[0] ?? '') : bytesOf(values));
};
