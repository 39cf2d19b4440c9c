import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableDeps } from '../batches/table-input.ts';
import { openChemistry, type Chemistry } from '../chemistry/chemistry.ts';
import { makeDataDir } from '../db/cluster.ts';
import { makeScratch } from '../lib/scratch.ts';
import type { Parts } from './role.ts';

/** What reads the tables of a role: a folder for them on the disk of the data, for they may be large, and chemistry. */
export const openTables = async ({
  config,
  log,
}: Pick<Parts, 'config' | 'log'>): Promise<TableDeps & { chemistry: Chemistry } & AsyncDisposable> => {
  const parent = join(await makeDataDir(config.dataDir), 'scratch');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const scratch = await makeScratch('tables', parent);
  const chemistry = openChemistry({ log, scratch });
  return {
    scratch,
    sources: config.sources,
    chemistry,
    [Symbol.asyncDispose]: async () => {
      await chemistry[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true });
    },
  };
};
