/**
 * Checks a file of requests as it streams by, before a byte of it is sent: every line, as the server will. Lines are cut as bytes, so
 * that a character torn between two pieces, CRLF, a byte order mark and a missing last line end are all right.
 */
export interface BadLine {
  line: number;
  code: string;
  message: string;
  /** Its bytes in the file, the line end not included. */
  start: number;
  end: number;
  /** The line; its beginning where it is long. */
  text: string;
  /** Where in the text, from 1; absent: nowhere in particular. */
  column?: number;
}

export interface Checked {
  lines: number;
  bytes: number;
  bad: BadLine[];
  /** More than are in `bad`. */
  badCount: number;
  models: { model: string; lines: number }[];
  /** Lines that name no model: the batch must then. */
  unnamed: number;
  url: string | null;
  first: string[];
}

export interface Rules {
  maxLines: number;
  maxLineBytes: number;
  /** Null: any. */
  models: readonly string[] | null;
}

const kept = 100;
const shownBytes = 20_000;

interface RequestLine {
  custom_id?: unknown;
  method?: unknown;
  url?: unknown;
  body?: { model?: unknown } | null;
}

type Verdict = { code: string; message: string; column?: number } | null;

const columnOf = (error: unknown): number | undefined => {
  const at = /position (\d+)/.exec(error instanceof Error ? error.message : '');
  return at ? Number(at[1]) + 1 : undefined;
};

export class LineChecker {
  readonly #rules: Rules;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #ids = new Map<string, number>();
  readonly #models = new Map<string, number>();
  #rest: Uint8Array = new Uint8Array(0);
  #at = 0;
  #line = 0;
  #count = 0;
  #badCount = 0;
  #unnamed = 0;
  readonly #bad: BadLine[] = [];
  readonly #first: string[] = [];
  #url: string | null = null;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  get lines(): number {
    return this.#count;
  }

  feed(piece: Uint8Array): void {
    let bytes = piece;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + piece.length);
      bytes.set(this.#rest);
      bytes.set(piece, this.#rest.length);
    }
    let from = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      this.#take(bytes.subarray(from, end), 1);
      from = end + 1;
    }
    this.#rest = bytes.slice(from);
  }

  end(): Checked {
    if (this.#rest.length > 0) this.#take(this.#rest, 0);
    this.#rest = new Uint8Array(0);
    if (this.#count === 0 && this.#badCount === 0) this.#blame({ code: 'empty_file', message: 'The file has no requests.' }, 0, 0, '');
    if (this.#count > this.#rules.maxLines)
      this.#blame(
        { code: 'too_many_tasks', message: `The file has ${this.#count} requests; ${this.#rules.maxLines} are allowed.` },
        0,
        0,
        '',
      );
    return {
      lines: this.#count,
      bytes: this.#at,
      bad: this.#bad,
      badCount: this.#badCount,
      models: [...this.#models].map(([model, lines]) => ({ model, lines })).sort((a, b) => b.lines - a.lines),
      unnamed: this.#unnamed,
      url: this.#url,
      first: this.#first,
    };
  }

  #take(whole: Uint8Array, lineEnd: number): void {
    const start = this.#at;
    this.#at += whole.length + lineEnd;
    this.#line++;
    let bytes = whole.at(-1) === 13 ? whole.subarray(0, -1) : whole;
    if (this.#line === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    this.#count++;
    if (bytes.every((byte) => byte === 32 || byte === 9)) {
      this.#blame({ code: 'invalid_json_line', message: 'The line is blank.' }, start, start + whole.length, ' ');
      return;
    }
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      this.#blame({ code: 'invalid_json_line', message: 'The line is not UTF-8.' }, start, start + whole.length, '');
      return;
    }
    if (this.#first.length < 5) this.#first.push(text.slice(0, 2_000));
    const verdict = this.#judge(text, bytes.length);
    if (verdict !== null) this.#blame(verdict, start, start + whole.length, text);
  }

  #blame(verdict: NonNullable<Verdict>, start: number, end: number, text: string): void {
    this.#badCount++;
    if (this.#bad.length < kept) this.#bad.push({ line: Math.max(1, this.#line), ...verdict, start, end, text: text.slice(0, shownBytes) });
  }

  #judge(text: string, length: number): Verdict {
    if (length > this.#rules.maxLineBytes)
      return { code: 'line_too_long', message: `The line has ${length} bytes; ${this.#rules.maxLineBytes} are allowed.` };
    let request: RequestLine;
    try {
      request = JSON.parse(text) as RequestLine;
    } catch (error) {
      const column = columnOf(error);
      return { code: 'invalid_json_line', message: 'The line is not JSON.', ...(column !== undefined && { column }) };
    }
    if (typeof request !== 'object' || request === null || Array.isArray(request))
      return { code: 'invalid_json_line', message: 'The line is not an object.' };
    const { custom_id: id, method, url, body } = request;
    if (typeof id !== 'string' || id === '') return { code: 'missing_custom_id', message: "The line has no text 'custom_id'." };
    if (method !== 'POST') return { code: 'invalid_method', message: "The 'method' must be POST." };
    if (typeof url !== 'string') return { code: 'missing_url', message: "The line has no 'url'." };
    if (typeof body !== 'object' || body === null) return { code: 'missing_body', message: "The line has no object 'body'." };
    const before = this.#ids.get(id);
    if (before !== undefined) return { code: 'duplicate_custom_id', message: `The custom_id is that of line ${before} too.` };
    this.#ids.set(id, this.#line);
    this.#url ??= url;
    if (url !== this.#url) return { code: 'url_mismatch', message: `The url is ${url}; the lines before have ${this.#url}.` };
    const { model } = body;
    if (typeof model !== 'string' || model === '') {
      this.#unnamed++;
      return null;
    }
    // What stands after the @ may be an alias.
    if (this.#rules.models !== null && !this.#rules.models.includes(model.split('@', 1)[0]!))
      return { code: 'model_not_found', message: `There is no model '${model}'.` };
    this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
    return null;
  }
}

/** The file with some of its lines written anew; null leaves one out, with its line end. */
export const corrected = (file: Blob, changes: readonly { start: number; end: number; text: string | null }[]): Blob => {
  const parts: BlobPart[] = [];
  let at = 0;
  for (const { start, end, text } of changes.toSorted((a, b) => a.start - b.start)) {
    parts.push(file.slice(at, start));
    if (text !== null) parts.push(text);
    at = text === null ? Math.min(end + 1, file.size) : end;
  }
  parts.push(file.slice(at));
  return new Blob(parts, { type: file.type });
};
