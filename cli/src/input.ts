import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Exit, exitCodes } from './exit.ts';

/** What is to be uploaded: known in size, and readable again from the start. */
export interface Source {
  name: string;
  bytes: number;
  open: () => AsyncIterable<Buffer>;
}

const newline = 10;

/** Lines with their ends, as bytes; what arrives cut is put together again. No line end is made up for the last. */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = chunk.subarray(start, end + 1);
      yield parts.length === 0 ? line : Buffer.concat([...parts, line]);
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

type Line = Record<string, unknown>;

const parse = (text: string): Line | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : null;
  } catch {
    return null;
  }
};

/** A line that is the body of a request alone. */
const isBare = (line: Line): boolean => !('custom_id' in line || 'body' in line || 'url' in line || 'method' in line);

/** Where the value of the outermost key `key` begins in a JSON object's text; -1 where it has none. */
export const valueAt = (text: string, key: string): number => {
  let [depth, found, i] = [0, -1, 0];
  while (i < text.length) {
    const letter = text[i];
    if (letter === '{' || letter === '[') depth++;
    else if (letter === '}' || letter === ']') depth--;
    else if (letter === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      const after = /\s*:\s*/y;
      after.lastIndex = i + 1;
      // Of a key that comes twice, JSON takes the last.
      if (depth === 1 && after.test(text) && JSON.parse(text.slice(start, i + 1)) === key) found = after.lastIndex;
    }
    i++;
  }
  return found;
};

/** Adds `"model"` to the object that begins at `at`. By text: numbers above 2^53 must come out as they went in. */
const withModel = (text: string, at: number, model: string): string => {
  const rest = text.slice(at + 1);
  return `${text.slice(0, at + 1)}"model":${JSON.stringify(model)}${/^\s*\}/.test(rest) ? '' : ','}${rest}`;
};

/**
 * A line as it is sent: a body that names no model gets `model`, a bare body becomes a request named `line-N`. What
 * does not parse goes as it is: the server says what is wrong with it, and where.
 */
export const complete = (text: string, number: number, { model, endpoint }: { model: string | null; endpoint: string }): string => {
  const line = parse(text.replace(/^\uFEFF/, ''));
  if (line === null) return text;
  if (isBare(line)) {
    const body = text.replace(/^\uFEFF/, '').trim();
    const full = model === null || 'model' in line ? body : withModel(body, 0, model);
    return `{"custom_id":"line-${number}","method":"POST","url":${JSON.stringify(endpoint)},"body":${full}}\n`;
  }
  const { body } = line;
  if (model === null || typeof body !== 'object' || body === null || Array.isArray(body) || 'model' in body) return text;
  return withModel(text, valueAt(text, 'body'), model);
};

async function* completed(chunks: AsyncIterable<Buffer>, options: { model: string | null; endpoint: string }): AsyncGenerator<Buffer> {
  let number = 0;
  let group: string[] = [];
  let size = 0;
  for await (const line of lines(chunks)) {
    const text = complete(line.toString('utf8'), ++number, options);
    group.push(text);
    size += text.length;
    if (size < 256 * 1024) continue;
    yield Buffer.from(group.join(''));
    [group, size] = [[], 0];
  }
  if (group.length > 0) yield Buffer.from(group.join(''));
}

const endpointOf = (line: Line): string | null => {
  if (typeof line['url'] === 'string') return line['url'];
  const body = isBare(line) ? line : line['body'];
  if (typeof body !== 'object' || body === null) return null;
  if ('inputs' in body) return '/v1/predict';
  if ('messages' in body) return '/v1/chat/completions';
  return 'prompt' in body ? '/v1/completions' : null;
};

const firstLine = async (path: string): Promise<Line | null> => {
  for await (const line of lines(createReadStream(path))) {
    const text = line
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trim();
    if (text !== '') return parse(text);
  }
  return null;
};

export interface Prepared extends Source {
  endpoint: string;
  /** The lines were bodies alone, and were given custom_ids. */
  named: boolean;
  /** It is a table, or packed: the batch names the model, for no line does. */
  table: boolean;
}

/** Where the server fetches an input from by itself. */
export const isUrl = (input: string): boolean => /^(https?|s3):\/\//.test(input);

/** Whether the first character that is no white space begins a JSON object. */
const isJson = async (path: string): Promise<boolean> => {
  for await (const chunk of createReadStream(path, { end: 65_535 })) {
    const text = (chunk as Buffer)
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trimStart();
    if (text !== '') return text.startsWith('{');
  }
  return true;
};

/**
 * The file at `path` as a batch's input. It is sent as it is where nothing has to be filled in; otherwise it is read
 * twice, once to know its size, and never held.
 */
export const prepare = async (
  path: string,
  options: { model?: string; models?: string[]; route?: string; endpoint?: string; name?: string },
): Promise<Prepared> => {
  const { size } = await stat(path).catch((error: unknown) => {
    throw new Exit(exitCodes.error, `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const name = options.name ?? basename(path);
  if (!(await isJson(path)))
    return {
      name,
      endpoint: options.endpoint ?? '/v1/predict',
      named: false,
      table: true,
      bytes: size,
      open: () => createReadStream(path),
    };
  const first = await firstLine(path);
  // Who names models for all lines means predictions; what then is no request is a table.
  const chosen = options.models !== undefined || options.route !== undefined;
  const endpoint = options.endpoint ?? (first && endpointOf(first)) ?? (chosen ? '/v1/predict' : null);
  if (!endpoint)
    throw new Exit(
      exitCodes.error,
      `It cannot be told from the first line of ${path} which endpoint it is for.`,
      'Say so: --endpoint /v1/predict',
    );
  const named = first !== null && isBare(first);
  if (options.model === undefined && !named)
    return { name, endpoint, named, table: false, bytes: size, open: () => createReadStream(path) };

  const open = () => completed(createReadStream(path, { highWaterMark: 1 << 18 }), { model: options.model ?? null, endpoint });
  let bytes = 0;
  for await (const chunk of open()) bytes += chunk.length;
  return { name, endpoint, named, table: false, bytes, open };
};
