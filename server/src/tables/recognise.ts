import { isUtf8 } from 'node:buffer';

/**
 * What a file of rows is, by its bytes. `requests`: lines that are requests already; `jsonl`: lines that are rows.
 */
export type TableFormat = 'requests' | 'jsonl' | 'csv' | 'tsv' | 'parquet' | 'sdf' | 'smi';
export type Compression = 'gzip' | 'zstd';

export const compressionOf = (head: Uint8Array): Compression | null => {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? 'zstd' : null;
};

/** Names of columns that hold SMILES, and names of rows, as people write them. */
const smilesNames = /^(canonical[_ ]?|isomeric[_ ]?)?smiles$|^smi$|^structure$|^mol(ecule)?$/i;
const idNames = /^(id|custom_id|compound[_ ]?id|molecule[_ ]?id|cid|name|compound|compound[_ ]?name|molecule[_ ]?name|title|inchikey)$/i;
const sequenceNames = /^(sequence|protein|protein[_ ]?sequence|fasta)$/i;

/** What columns are taken for where nobody says; the first that fits. */
export const guessColumns = (columns: readonly string[]): { smiles?: string; sequence?: string; id?: string } => {
  const find = (pattern: RegExp): string | undefined => columns.find((column) => pattern.test(column.trim()));
  const [smiles, sequence, id] = [find(smilesNames), find(sequenceNames), find(idNames)];
  return { ...(smiles !== undefined && { smiles }), ...(sequence !== undefined && { sequence }), ...(id !== undefined && { id }) };
};

const isHeader = (fields: readonly string[]): boolean =>
  fields.some((field) => smilesNames.test(field) || idNames.test(field) || sequenceNames.test(field));

/** Characters that a SMILES has and a word has not, or a word that is nothing but organic atoms. */
const looksLikeSmiles = (text: string): boolean =>
  /^[^\s,;|"]+$/.test(text) && (/[()[\]=#@\\/%]/.test(text) || /^[BCNOPSFIbcnops0-9lr]+$/.test(text));

/** Text without what was cut off at its end in the middle of a character; null where it is none. */
const textOf = (head: Buffer): string | null => {
  for (let cut = 0; cut < 4 && cut < head.length; cut++) {
    const part = head.subarray(0, head.length - cut);
    if (isUtf8(part)) return part.includes(0) ? null : part.toString('utf8').replace(/^\uFEFF/, '');
  }
  return head.length === 0 ? '' : null;
};

const jsonFormat = (line: string): TableFormat => {
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return 'custom_id' in value && 'body' in value ? 'requests' : 'jsonl';
  } catch {
    // A line that is longer than what is seen of it, or that is broken: whoever reads it says what is wrong.
    return /"custom_id"\s*:/.test(line) && /"(body|url|method)"\s*:/.test(line) ? 'requests' : 'jsonl';
  }
};

/**
 * The format of a file by its (unpacked) beginning, and its name where the beginning may be two things; null where it is
 * no table.
 */
export const formatOf = (head: Buffer, filename = ''): TableFormat | null => {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const text = textOf(head);
  if (text === null) return null;
  const lines = text.split(/\r\n|\n|\r/);
  const first = lines.find((line) => line.trim() !== '')?.trim();
  if (first === undefined) return null;
  if (first.startsWith('{')) return jsonFormat(first);
  if (/^(.* V[23]000|M {2}END|\$\$\$\$)\s*$/m.test(text)) return 'sdf';
  const ending = /\.(csv|tsv|tab|smi|smiles|txt)(\.(gz|zst))?$/i.exec(filename)?.[1]?.toLowerCase();
  if (ending === 'csv') return 'csv';
  if (ending === 'smi' || ending === 'smiles') return 'smi';
  const [tabs, commas] = [first.split('\t'), first.split(/[,;|]/)];
  if (ending === 'tsv' || ending === 'tab') return 'tsv';
  if (isHeader(tabs) && tabs.length > 1) return 'tsv';
  if (looksLikeSmiles(tabs[0]!.split(/\s/)[0]!) && !isHeader(commas))
    return commas.length > 1 && !looksLikeSmiles(first.split(/\s/)[0]!) ? 'csv' : 'smi';
  if (commas.length > 1) return 'csv';
  return tabs.length > 1 ? 'tsv' : isHeader([first]) ? 'csv' : 'smi';
};
