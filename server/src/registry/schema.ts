import type { ModelPort } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { Reference } from '../models/names.ts';
import { registeredOf, shownReference, type ReadDeps } from './read.ts';

type Schema = Record<string, unknown>;

/** What JSON holds for an element; the ranges of integers as onnxruntime does not check them. */
const element = (type: string): Schema => {
  const bits = /^(u?)int(\d+)$/.exec(type);
  if (bits) {
    const [unsigned, size] = [bits[1] === 'u', Number(bits[2])];
    // Beyond 2^53 a number of JSON is not what was written; there the schema leaves the range to the server.
    if (size > 32) return { type: 'integer', ...(unsigned && { minimum: 0 }) };
    return unsigned
      ? { type: 'integer', minimum: 0, maximum: 2 ** size - 1 }
      : { type: 'integer', minimum: -(2 ** (size - 1)), maximum: 2 ** (size - 1) - 1 };
  }
  if (type === 'bool') return { type: 'boolean' };
  return type === 'string' ? { type: 'string' } : { type: 'number' };
};

/** The dimension that counts rows: as vetting found it; where it did not say, the first, if that varies. */
const rowsOf = ({ batch_axis, shape }: ModelPort): number | null =>
  batch_axis !== undefined ? batch_axis : typeof shape[0] === 'string' ? 0 : null;

const port = (each: ModelPort): Schema => {
  const axis = rowsOf(each);
  return each.shape
    .filter((_, i) => i !== axis)
    .reduceRight<Schema>(
      (items, size) => ({ type: 'array', items, ...(typeof size === 'number' && { minItems: size, maxItems: size }) }),
      element(each.type),
    );
};

/** A JSON Schema of one row of inputs, from the ports of the model's file. */
export const schemaOfPorts = (title: string, ports: readonly ModelPort[]): Schema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title,
  type: 'object',
  properties: Object.fromEntries(ports.map((each) => [each.name, port(each)])),
  required: ports.map(({ name }) => name),
  additionalProperties: false,
});

const schemaOfSmiles = (title: string): Schema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title,
  type: 'object',
  properties: { smiles: { type: 'string', minLength: 1, description: 'A molecule as SMILES.' } },
  required: ['smiles'],
});

/** The JSON Schema of a model's inputs: as declared, else as its options and what vetting found have it. */
export const inputSchema = async (deps: ReadDeps, identity: Identity, reference: Reference): Promise<Schema> => {
  const declared = deps.models.find(shownReference(reference), identity.tenant);
  const nothing = (why: string): ApiError =>
    new ApiError('conflict', `Nothing is known of the inputs of '${shownReference(reference)}' ${why}`);
  if (declared && declared.tenant === undefined) {
    const title = `${declared.name}@${declared.version}`;
    if (declared.options['preprocess'] === 'smiles-morgan2048-desc16') return schemaOfSmiles(title);
    throw nothing('before it is loaded: the configuration declares it.');
  }
  // As a request would be answered: by the newest version that is ready, where one is.
  const { row } = await registeredOf(deps, identity, declared ? { name: declared.name, version: declared.version } : reference);
  const title = `${row.name}@${row.version}`;
  const { schema, inputs, options } = await deps.db.one<{ schema: Schema | null; inputs: ModelPort[] | null; options: Schema }>(
    sql`select schema, inputs, options from model_versions where no = ${row.no}`,
  );
  if (schema !== null) return schema;
  if (options['preprocess'] === 'smiles-morgan2048-desc16') return schemaOfSmiles(title);
  if (inputs === null) throw nothing(`yet: it is '${row.status}'.`);
  return schemaOfPorts(title, inputs);
};
