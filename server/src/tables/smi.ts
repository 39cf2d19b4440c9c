import type { Row } from './rows.ts';

/** Rows of a list of SMILES: one a line, and after a space or tab the name. A header line is none of them. */
export async function* smiRows(lines: AsyncIterable<string>): AsyncGenerator<Row> {
  let first = true;
  for await (const line of lines) {
    const text = line.trim();
    const header = first && /^(canonical_)?smiles\b/i.test(text);
    first = false;
    if (text === '' || header) continue;
    const [, smiles, name] = /^(\S+)(?:\s+(.*))?$/.exec(text)!;
    yield { values: { smiles: smiles!, ...(name !== undefined && name !== '' && { name }) } };
  }
}
