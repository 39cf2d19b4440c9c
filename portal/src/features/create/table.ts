/** What a file is, by its name; the server looks at its bytes. */
export const kindOf = (name: string): 'requests' | 'table' | 'other' => {
  const bare = name.toLowerCase().replace(/\.(gz|zst)$/, '');
  if (/\.(jsonl|ndjson)$/.test(bare)) return bare === name.toLowerCase() ? 'requests' : 'other';
  if (/\.(csv|tsv)$/.test(bare) && bare === name.toLowerCase()) return 'table';
  return 'other';
};

/** The rows of a delimited text: quotes, doubled quotes, line ends inside quotes. For a preview; the server reads the table. */
export const rowsOf = (text: string, most: number): string[][] => {
  const delimiter = [',', '\t', ';'].toSorted(
    (a, b) => text.split('\n', 1)[0]!.split(b).length - text.split('\n', 1)[0]!.split(a).length,
  )[0]!;
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length && rows.length < most; i++) {
    const char = text[i]!;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === delimiter) {
      row.push(cell);
      cell = '';
    } else if (char === '\n') {
      row.push(cell.replace(/\r$/, ''));
      rows.push(row);
      row = [];
      cell = '';
    } else cell += char;
  }
  if (rows.length < most && (cell !== '' || row.length > 0)) rows.push([...row, cell]);
  return rows;
};

/** Which column is probably which input, by its name. */
export const guess = (header: readonly string[]): Record<string, string> => {
  const named = (pattern: RegExp) => header.find((name) => pattern.test(name.trim()));
  const smiles = named(/^(canonical_?)?smiles$/i) ?? named(/smiles/i);
  const id = named(/^(id|name|compound(_?id)?|molecule(_?id)?|custom_id|title)$/i);
  return { ...(smiles !== undefined && { smiles }), ...(id !== undefined && { id }) };
};
