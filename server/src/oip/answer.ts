import { Readable } from 'node:stream';
import { lengthHeader, written } from '../executors/oip/message.ts';
import type { Tensor } from '../executors/onnx/tensor.ts';
import type { ModelSpec } from '../models/models.ts';
import type { Ask } from './ask.ts';

export interface Answer {
  headers: Record<string, string>;
  body: string | Buffer | Readable;
}

/** Bytes up to which what is sent together is put together first: one write costs more than copying them. */
const joined = 65_536;

/** The reply to an inference: JSON, and after it the bytes of the outputs that were asked for so. */
export const answerOf = ({ name, version }: ModelSpec, { id, binary }: Pick<Ask, 'id' | 'binary'>, outputs: readonly Tensor[]): Answer => {
  const { texts, parts } = written(outputs, (output) => binary(output.name));
  const named = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const json = `{${named}"model_name":${JSON.stringify(name)},"model_version":${JSON.stringify(version)},"outputs":[${texts.join()}]}`;
  if (parts.length === 0) return { headers: { 'content-type': 'application/json' }, body: json };
  const head = Buffer.from(json);
  const length = parts.reduce((sum, part) => sum + part.byteLength, head.length);
  return {
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length), [lengthHeader]: String(head.length) },
    body: length <= joined ? Buffer.concat([head, ...parts]) : Readable.from([head, ...parts], { objectMode: false }),
  };
};
