import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseRequestId } from '../lib/ids.ts';

const LF = 10;
/** `{"id":"batch_req_` and the batch: then come the eight digits of the line. */
const lineAt = 41;
const lineEnd = 49;

/** Blocks of whole lines of a file. */
async function* blocks(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end === 0) {
      rest.push(chunk);
      continue;
    }
    yield Buffer.concat([...rest, chunk.subarray(0, end)]);
    rest = [chunk.subarray(end)];
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last;
}

interface ErrorLine {
  id: string;
  custom_id: string;
  response: { status_code?: number; body?: { error?: { code?: unknown; message?: unknown } | string } | null } | null;
  error: { code: string; message: string } | null;
}

const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** The cause of a failure from its line of the error file, whoever wrote it: this server, or the one that was asked. */
const causeOf = ({ response, error }: ErrorLine): { code: string; message: string } => {
  const said = response?.body?.error;
  const inner = typeof said === 'object' && said !== null ? said : { message: said };
  const code = asText(error?.code) ?? asText(inner.code) ?? `http_${response?.status_code ?? 0}`;
  return { code, message: asText(error?.message) ?? asText(inner.message) ?? code };
};

async function* errorLines(path: string): AsyncGenerator<{ line: number; text: string }> {
  for await (const text of createInterface({ input: createReadStream(path, { highWaterMark: 1 << 20 }), crlfDelay: Infinity })) {
    if (text === '') continue;
    const parsed = JSON.parse(text) as ErrorLine;
    const { id, custom_id: customId } = parsed;
    yield { line: parseRequestId(id)!.line, text: `${JSON.stringify({ id, custom_id: customId, error: causeOf(parsed) })}\n` };
  }
}

/**
 * Writes the answers to all lines to `to`, in the order of the input: those of the output file as they are, those of the
 * error file as their cause. Throws where a line has no answer, or two.
 */
export const writeAnswers = async (output: string | null, errors: string, total: number, to: string): Promise<void> => {
  await using file = await open(to, 'w');
  const failed = errorLines(errors);
  let next = await failed.next();
  let last = 0;
  const pass = (line: number): void => {
    if (line !== last + 1) throw new Error(`line ${line} follows line ${last} in the results`);
    last = line;
  };
  let texts: Buffer[] = [];
  let size = 0;
  const put = async (bytes: Buffer): Promise<void> => {
    texts.push(bytes);
    size += bytes.length;
    if (size < 1 << 20) return;
    await file.writev(texts);
    [texts, size] = [[], 0];
  };
  const failuresBefore = async (line: number): Promise<void> => {
    while (next.done !== true && next.value.line < line) {
      pass(next.value.line);
      await put(Buffer.from(next.value.text));
      next = await failed.next();
    }
  };
  if (output !== null)
    for await (const block of blocks(output)) {
      let start = 0;
      for (let at = 0; at < block.length;) {
        const line = Number.parseInt(block.toString('latin1', at + lineAt, at + lineEnd), 16);
        if (next.done !== true && next.value.line < line) {
          if (at > start) await put(block.subarray(start, at));
          start = at;
          await failuresBefore(line);
        }
        pass(line);
        const end = block.indexOf(LF, at);
        at = end < 0 ? block.length : end + 1;
      }
      await put(block.subarray(start));
    }
  await failuresBefore(Infinity);
  await file.writev(texts);
  if (last !== total) throw new Error(`the results end with line ${last} of ${total}`);
};
