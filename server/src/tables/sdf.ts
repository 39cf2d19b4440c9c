import { textOf, type Row } from './rows.ts';

/** Characters one record may have: a protein's are a tenth of it. */
const mostCharacters = 4 << 20;

/**
 * Rows of an SD file: `molblock` (V2000 or V3000), `name` (its first line) and a column for each data field. A record
 * that does not end is a row with a problem, and so is one that is too long; the next begins behind its `$$$$`.
 */
export async function* sdfRows(lines: AsyncIterable<string>): AsyncGenerator<Row> {
  let record: string[] = [];
  let size = 0;
  let dropped = 0;
  for await (const line of lines) {
    if (line.trimEnd() === '$$$$') {
      yield recordRow(record, dropped, null);
      [record, size, dropped] = [[], 0, 0];
    } else if (size + line.length > mostCharacters) dropped += line.length;
    else {
      record.push(line);
      size += line.length + 1;
    }
  }
  if (record.some((line) => line.trim() !== '')) yield recordRow(record, dropped, "The last record does not end with '$$$$'.");
}

const recordRow = (record: readonly string[], dropped: number, unfinished: string | null): Row => {
  const end = record.findIndex((line) => /^M {2}END\s*$/.test(line));
  const values: Record<string, unknown> = {};
  const name = record[0]?.trim();
  if (name) values['name'] = name;
  if (end >= 0) values['molblock'] = `${record.slice(0, end + 1).join('\n')}\n`;
  for (let i = end + 1; i < record.length; i++) {
    const field = /^>.*<([^>]+)>/.exec(record[i]!)?.[1];
    if (field === undefined) continue;
    const lines: string[] = [];
    // A data field ends at a blank line; some writers leave that out before the next.
    while (i + 1 < record.length && record[i + 1]!.trim() !== '' && !/^>.*<[^>]+>/.test(record[i + 1]!)) lines.push(record[++i]!);
    values[field] = textOf(lines.join('\n').trim());
  }
  if (dropped > 0) return { values, problem: `The record is longer than ${mostCharacters.toLocaleString('en')} characters.` };
  // Broken off in the middle of its molecule, or only behind it, which harms nothing.
  if (end < 0) return { values, problem: unfinished ?? "The record has no 'M  END'." };
  return { values };
};
