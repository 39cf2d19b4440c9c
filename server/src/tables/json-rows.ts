import { parseExactly } from '../formats/exact-json.ts';
import type { Row } from './rows.ts';

/** Rows of JSON lines: an object each. Another value, or a line that is no JSON, is a row with a problem. */
export async function* jsonRows(lines: AsyncIterable<string>): AsyncGenerator<Row> {
  for await (const line of lines) {
    if (line.trim() === '') continue;
    yield rowIn(line);
  }
}

const rowIn = (line: string): Row => {
  let value: unknown;
  try {
    value = parseExactly(line);
  } catch {
    return { values: {}, problem: 'The line is not JSON.' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { values: {}, problem: 'The line is no JSON object.' };
  return { values: value as Record<string, unknown> };
};
