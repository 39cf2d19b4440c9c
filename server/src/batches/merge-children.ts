import { requestId } from '../lib/ids.ts';
import { merge, type MergeInput } from './merge.ts';

/** A child as a source of its parent's lines. */
export interface ChildLines {
  /** What its results are called. */
  label: string;
  input: MergeInput;
}

/** Lines by how they stand in all children; filled while the bytes are taken. */
export interface RowTally {
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
}

/** `{"id":"batch_req_<24 of the batch><8 of the line>","custom_id":` */
const lineAt = 7 + 10 + 24;
const idAt = lineAt + 8 + 14;
const responseKey = Buffer.from(',"response":');
const blockBytes = 256 << 10;

/** One result line of a child. */
interface Row {
  line: number;
  /** As JSON. */
  customId: Buffer;
  /** `"response":…,"error":…` */
  rest: Buffer;
}

const rowOf = (bytes: Buffer): Row => {
  let end = idAt + 1;
  while (bytes[end] !== 0x22) end += bytes[end] === 0x5c ? 2 : 1;
  end++;
  if (!bytes.subarray(end, end + responseKey.length).equals(responseKey)) throw new Error('a result line is not as it was written');
  return {
    line: Number.parseInt(bytes.toString('latin1', lineAt, lineAt + 8), 16),
    customId: bytes.subarray(idAt, end),
    rest: bytes.subarray(end + 1, bytes.length - 1),
  };
};

async function* rowsOf(blocks: AsyncIterable<Buffer>): AsyncGenerator<Row> {
  let left: Buffer = Buffer.alloc(0);
  for await (const block of blocks) {
    const bytes = left.length === 0 ? block : Buffer.concat([left, block]);
    let start = 0;
    for (let end = bytes.indexOf(10, start); end !== -1; end = bytes.indexOf(10, start)) {
      yield rowOf(bytes.subarray(start, end));
      start = end + 1;
    }
    left = bytes.subarray(start);
  }
  if (left.length > 0) throw new Error('a result line has no end');
}

/** A stream of rows that can be looked at before it is taken from. */
class Rows {
  row: Row | null = null;
  readonly #rows: AsyncGenerator<Row>;

  constructor(rows: AsyncGenerator<Row>) {
    this.#rows = rows;
  }

  async next(): Promise<void> {
    const { value, done } = await this.#rows.next();
    this.row = done === true ? null : value;
  }

  /** The row of that line, all before it being left out; null: there is none. */
  async at(line: number): Promise<Row | null> {
    while (this.row !== null && this.row.line < line) await this.next();
    return this.row?.line === line ? this.row : null;
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined);
  }
}

const opened = async (input: MergeInput, wanted: 'completed' | 'failed'): Promise<Rows> => {
  const rows = new Rows(rowsOf(merge(input, wanted, { completed: 0, failed: 0, unwritten: 0 })));
  await rows.next();
  return rows;
};

/**
 * The bytes of a parent's output file (`completed`: lines that every model has answered) or error file (all others), in
 * the order of the input: a line has a group for each model, which is what the model's own batch says of it. A line
 * that failed in one model keeps what the others answered.
 *
 * @param partial some children still run: lines that have not ended in all of them are left out
 */
export async function* mergeChildren(
  parentId: string,
  children: readonly ChildLines[],
  wanted: 'completed' | 'failed',
  tally: RowTally,
  { partial = false } = {},
): AsyncGenerator<Buffer> {
  const completed: Rows[] = [];
  const failed: Rows[] = [];
  let parts: Buffer[] = [];
  let size = 0;
  try {
    for (const { input } of children) {
      completed.push(await opened(input, 'completed'));
      if (wanted === 'failed') failed.push(await opened(input, 'failed'));
    }
    const next = wanted === 'completed' ? () => completed.map(({ row }) => row) : () => failed.map(({ row }) => row);
    while (true) {
      const heads = next();
      if (wanted === 'completed' ? heads.includes(null) : heads.every((row) => row === null)) break;
      const lines = heads.flatMap((row) => (row === null ? [] : [row.line]));
      // What all have is at the latest of their next lines; what some failed at, at the earliest.
      const line = wanted === 'completed' ? Math.max(...lines) : Math.min(...lines);
      const group: (Row | null)[] = [];
      for (let i = 0; i < children.length; i++)
        group.push((wanted === 'failed' ? await failed[i]!.at(line) : null) ?? (await completed[i]!.at(line)));
      if (group.every((row) => row !== null)) {
        const text =
          wanted === 'completed' ? answered(parentId, line, children, group, tally) : wrong(parentId, line, children, group, tally);
        parts.push(text);
        size += text.length;
        if (size >= blockBytes) {
          yield Buffer.concat(parts);
          [parts, size] = [[], 0];
        }
      } else if (wanted === 'failed' && !partial)
        throw new Error(`line ${line} of ${parentId} has no result in ${children[group.indexOf(null)]!.label}`);
      for (const rows of wanted === 'completed' ? completed : failed) if (rows.row?.line === line) await rows.next();
    }
    if (size > 0) yield Buffer.concat(parts);
  } finally {
    for (const rows of [...completed, ...failed]) await rows.close();
  }
}

const written = (
  parentId: string,
  line: number,
  status: number,
  children: readonly ChildLines[],
  group: readonly Row[],
  error: { code: string; message: string } | null,
): Buffer => {
  const id = requestId(parentId, line);
  const parts: (Buffer | string)[] = [
    `{"id":"${id}","custom_id":`,
    group[0]!.customId,
    `,"response":{"status_code":${status},"request_id":"req_${id.slice(10)}","body":{"object":"batch.row","models":{`,
  ];
  group.forEach(({ rest }, i) => parts.push(`${i === 0 ? '' : ','}${JSON.stringify(children[i]!.label)}:{`, rest, '}'));
  parts.push(`}}},"error":${error === null ? 'null' : JSON.stringify(error)}}\n`);
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
};

const answered = (parentId: string, line: number, children: readonly ChildLines[], group: readonly Row[], tally: RowTally): Buffer => {
  tally.completed++;
  return written(parentId, line, 200, children, group, null);
};

/** What a child's line says went wrong; null where nothing did. */
const errorIn = (rest: Buffer): { code: string; message: string } | null => {
  const { response, error } = JSON.parse(`{${rest.toString('utf8')}}`) as {
    response: { status_code: number; body?: { error?: { code?: unknown; message?: unknown } } } | null;
    error: { code: string; message: string } | null;
  };
  if (error !== null) return error;
  if (response === null || response.status_code < 400) return null;
  const said = response.body?.error;
  return {
    code: typeof said?.code === 'string' ? said.code : 'model_failed',
    message: typeof said?.message === 'string' ? said.message : `It answered with status ${response.status_code}.`,
  };
};

const ended: Record<string, 'cancelled' | 'expired'> = { batch_cancelled: 'cancelled', batch_expired: 'expired' };

const wrong = (parentId: string, line: number, children: readonly ChildLines[], group: readonly Row[], tally: RowTally): Buffer => {
  const errors = group.flatMap(({ rest }, i) => {
    const error = errorIn(rest);
    return error === null ? [] : [{ ...error, label: children[i]!.label }];
  });
  const kind = (code: string): 'failed' | 'expired' | 'cancelled' => ended[code] ?? 'failed';
  const worst = (['failed', 'expired', 'cancelled'] as const).find((each) => errors.some(({ code }) => kind(code) === each)) ?? 'failed';
  tally[worst]++;
  const decisive = errors.filter(({ code }) => kind(code) === worst);
  const code = decisive.every((error) => error.code === decisive[0]!.code) ? (decisive[0]?.code ?? 'model_failed') : 'model_failed';
  const [first] = decisive;
  // What all of them say is said once: a row that was refused before any ran.
  const alike = first !== undefined && decisive.length === children.length && decisive.every(({ message }) => message === first.message);
  const message = alike ? first.message : decisive.map((error) => `${error.label}: ${error.message}`).join(' ');
  return written(parentId, line, 207, children, group, { code, message });
};
