import { extname } from 'node:path';

const types: Record<string, string> = {
  '.json': 'application/json',
  '.jsonl': 'application/jsonl',
  '.csv': 'text/csv; charset=utf-8',
  '.tsv': 'text/tab-separated-values; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.log': 'text/plain; charset=utf-8',
  '.yaml': 'application/yaml',
  '.fasta': 'text/plain; charset=utf-8',
  '.cif': 'chemical/x-mmcif',
  '.pdb': 'chemical/x-pdb',
  '.sdf': 'chemical/x-mdl-sdfile',
  '.npz': 'application/zip',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.parquet': 'application/vnd.apache.parquet',
};

/** The content type of a file, by its ending. */
export const typeOfName = (name: string): string => types[extname(name).toLowerCase()] ?? 'application/octet-stream';
