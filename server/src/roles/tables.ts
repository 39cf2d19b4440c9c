import { closeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableDeps } from '../batches/table-input.ts';
import { openFeatureFile } from '../chemistry/feature-cache.ts';
import { openChemistry, type Chemistry } from '../chemistry/chemistry.ts';
import { makeDataDir } from '../db/cluster.ts';
import { makeScratch } from '../lib/scratch.ts';
import type { Parts } from './role.ts';

/** What reads the tables of a role: a folder for them on the disk of the data, for they may be large, and chemistry. */
export const openTables = async ({
  config,
  log,
  keepFeatures = false,
}: Pick<Parts, 'config' | 'log'> & { keepFeatures?: boolean }): Promise<TableDeps & { chemistry: Chemistry } & AsyncDisposable> => {
  const parent = join(await makeDataDir(config.dataDir), 'scratch');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const scratch = await makeScratch('tables', parent);
  const features = keepFeatures
    ? openFeatureFile({ folder: join(config.dataDir, 'features'), bytes: config.chemistry.featuresBytes }, log)
    : null;
  const chemistry = openChemistry({ log, scratch, features });
  return {
    scratch,
    sources: config.sources,
    chemistry,
    [Symbol.asyncDispose]: async () => {
      await chemistry[Symbol.asyncDispose]();
      if (features !== null) closeSync(features);
      await rm(scratch, { recursive: true, force: true });
    },
  };
};
