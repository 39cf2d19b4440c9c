export * from './errors.ts';
export * from './common.ts';
export * from './files.ts';
export * from './batches.ts';
export * from './models.ts';
export * from './workers.ts';
export * from './deadletters.ts';
export * from './bulk.ts';
