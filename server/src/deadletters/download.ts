import type { DeadLetterQuery } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { linesOf } from '../formats/lines.ts';
import { readLines } from '../formats/read-lines.ts';
import { requestId } from '../lib/ids.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import { readDeadLetters, type DeadLetterRow } from './read.ts';

/** Rows held at a time; the inputs come in groups of about 4 MB. */
const pageRows = 1_000;

/**
 * Dead letters with what was sent, one JSON object a line: page after page, so that memory does not grow with their
 * number. `request` is the line of the input byte for byte, or null where the input file is gone.
 */
export async function* downloadDeadLetters(db: Db, storage: Storage, identity: Identity, query: DeadLetterQuery): AsyncGenerator<Buffer> {
  let after: DeadLetterRow | null = null;
  while (true) {
    const rows: DeadLetterRow[] = await readDeadLetters(db, identity, query, after, pageRows);
    for (const [, group] of Map.groupBy(rows, (row) => row.batch_no)) yield* linesOfBatch(storage, group);
    if (rows.length < pageRows) return;
    after = rows.at(-1)!;
  }
}

async function* linesOfBatch(storage: Storage, rows: readonly DeadLetterRow[]): AsyncGenerator<Buffer> {
  let next = 0;
  const { input_key: inputKey, index_key: indexKey } = rows[0]!;
  if (inputKey !== null && indexKey !== null) {
    try {
      for await (const group of readLines(storage, { inputKey, indexKey }, linesOf(rows.map((row) => row.line)))) {
        yield Buffer.concat(group.flatMap(({ bytes }, i) => written(rows[next + i]!, bytes)));
        next += group.length;
      }
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
    }
  }
  if (next < rows.length) yield Buffer.concat(rows.slice(next).flatMap((row) => written(row, Buffer.from('null'))));
}

const end = Buffer.from('}\n');

const written = (row: DeadLetterRow, request: Buffer): Buffer[] => {
  const head = JSON.stringify({
    id: requestId(row.batch_id, row.line),
    batch_id: row.batch_id,
    line: row.line,
    model: row.model,
    attempts: row.attempts,
    died_at: row.died_at,
    error: { code: row.code, message: row.message, status_code: row.status_code },
  });
  return [Buffer.from(`${head.slice(0, -1)},"request":`), request, end];
};
