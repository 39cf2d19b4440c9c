import { closeSync, openSync, writeSync } from 'node:fs';

/** The text of one request: a chat completion, padded so that line and line end have `bytes` bytes. */
export const requestText = (n: number, bytes: number): string => {
  const head = `{"custom_id":"request-${n}","method":"POST","url":"/v1/chat/completions","body":{"model":"echo","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"`;
  const tail = '"}],"max_tokens":64}}';
  return head + filler(n, bytes - 1 - head.length - tail.length) + tail;
};

const words = 'molecule solubility prediction batch water octanol ring bond charge weight '.repeat(8);

/** Text that differs from line to line, so that nothing compresses, caches or deduplicates it away. */
const filler = (n: number, length: number): string => {
  const at = (n * 31) % 300;
  return `${n} ${words.slice(at)}`.slice(0, length);
};

/** `count` lines of `bytes` bytes each, line ends included. */
export const requestLines = (count: number, bytes: number, text = requestText): Buffer => {
  const buffer = Buffer.allocUnsafe(count * bytes);
  let used = 0;
  for (let n = 1; n <= count; n++) used += buffer.write(`${text(n, bytes)}\n`, used, 'latin1');
  if (used !== buffer.length) throw new Error(`${used} bytes instead of ${buffer.length}`);
  return buffer;
};

/** The same in a file, for inputs that should not be in memory. */
export const writeRequests = (path: string, count: number, bytes: number, text = requestText): void => {
  const file = openSync(path, 'wx');
  for (let from = 1; from <= count; from += 10_000)
    writeSync(
      file,
      requestLines(Math.min(10_000, count - from + 1), bytes, (n, size) => text(n + from - 1, size)),
    );
  closeSync(file);
};
