import { isUtf8 } from 'node:buffer';
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { delimiterOf } from './csv.ts';
import { valueOf } from './rows.ts';

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

/** Tokens of SMILES and nothing else, and one of them at least that no word has. */
export const isSmiles = (text: string): boolean =>
  /^(\[\d*[A-Za-z*][^\][\s]*\]|Br|Cl|[BCNOPSFIbcnops*]|[=#$:/\\.()%+-]|\d)+$/.test(text) && /[A-Za-z]/.test(text);

/** Whether the fields of a first line name columns: one of them is a usual name, or none is a value. */
export const hasHeader = (fields: readonly string[]): boolean =>
  isHeader(fields.map((field) => field.trim())) ||
  !fields.some((field) => typeof valueOf(field.trim()) === 'number' || (isSmiles(field.trim()) && /[=()[\]#]|\d/.test(field)));

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

/**
 * The same where it is beyond doubt a table, or JSON lines: lists and prose are text too. Fields of its lines are counted
 * as they stand, so that a table whose first lines hold line breaks has to have a name that says what it is.
 */
export const tableFormatOf = (head: Buffer, filename = ''): TableFormat | null => {
  const format = formatOf(head, filename);
  if (format === null || format === 'parquet' || format === 'sdf') return format;
  const lines = textOf(head)!
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  const first = lines[0]!.trim();
  if (format === 'requests' || format === 'jsonl') return format;
  if (format === 'smi') return isSmiles(first.split(/\s/)[0]!) || /\.(smi|smiles)(\.(gz|zst))?$/i.test(filename) ? format : null;
  const delimiter = format === 'tsv' ? '\t' : delimiterOf(first);
  const fields = first.split(delimiter);
  if (isHeader(fields.map((field) => field.trim().replaceAll('"', ''))) || /\.(csv|tsv|tab)(\.(gz|zst))?$/i.test(filename)) return format;
  // The last line may be cut off.
  const whole = lines.slice(0, Math.max(2, Math.min(20, lines.length - 1)));
  return fields.length > 1 && whole.length > 1 && whole.every((line) => line.split(delimiter).length === fields.length) ? format : null;
};

/** What a file is by its beginning, unpacked where it is packed; null where it is no table. */
export const recognise = (head: Buffer, filename = ''): { format: TableFormat; compression: Compression | null } | null => {
  const compression = compressionOf(head);
  const format = tableFormatOf(compression === null ? head : unpackHead(head, compression), filename);
  return format === null ? null : { format, compression };
};

/** As much of a packed beginning as can be unpacked, and not more than a beginning. */
const unpackHead = (head: Buffer, compression: Compression): Buffer => {
  const maxOutputLength = 1 << 20;
  try {
    return compression === 'gzip'
      ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength })
      : zstdDecompressSync(head, { finishFlush: constants.ZSTD_e_flush, maxOutputLength });
  } catch {
    return Buffer.alloc(0);
  }
};

/** Whether a file whose beginning is no JSON is a table, or packed. */
export const isTable = (head: Buffer, filename: string): boolean => {
  const found = recognise(head, filename);
  return found !== null && (found.compression !== null || (found.format !== 'requests' && found.format !== 'jsonl'));
};
