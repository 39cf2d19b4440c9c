import type { ModelPort } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { ExecutorName, ModelSpec, OutputColumns } from '../models/models.ts';
import type { Reference } from '../models/names.ts';
import { outputColumnsOf, withOutputs } from './output-columns.ts';
import { registeredOf, shownReference, type ReadDeps } from './read.ts';
import { draft, knowsInputs, taskSchema, type Schema } from './task-schemas.ts';

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

/** A value such as the port takes, of at most a few numbers: what a form begins with. */
const exampleOf = ({ type, ...each }: ModelPort): unknown => {
  const axis = rowsOf({ type, ...each });
  const one: unknown = type === 'string' ? 'text' : type === 'bool' ? true : 0;
  const sizes = each.shape.filter((_, i) => i !== axis).map((size) => (typeof size === 'number' ? size : 1));
  if (sizes.reduce((product, size) => product * size, 1) > mostExample) return undefined;
  return sizes.reduceRight<unknown>((inner, size) => Array.from({ length: size }, () => inner), one);
};

const mostExample = 64;

const port = (each: ModelPort): Schema => {
  const example = exampleOf(each);
  return { title: each.name, ...shapeOf(each), ...(example !== undefined && { examples: [example] }) };
};

const shapeOf = (each: ModelPort): Schema => {
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
  $schema: draft,
  title,
  type: 'object',
  properties: Object.fromEntries(ports.map((each) => [each.name, port(each)])),
  required: ports.map(({ name }) => name),
  additionalProperties: false,
});

const declaredSchema = ({ name, version, schema }: ModelSpec): Schema | null =>
  schema === undefined ? null : { $schema: draft, title: `${name}@${version}`, ...schema };

/** The JSON Schema of a model's inputs, as declared, else as its options and what vetting found have it; and of its outputs. */
export const inputSchema = async (deps: ReadDeps, identity: Identity, reference: Reference): Promise<Schema> => {
  const declared = deps.models.find(shownReference(reference), identity.tenant);
  if (declared && declared.tenant === undefined)
    return withOutputs(declaredSchema(declared) ?? taskSchema(declared), outputColumnsOf(declared));
  // As a request would be answered: by the newest version that is ready, where one is.
  const { row } = await registeredOf(deps, identity, declared ? { name: declared.name, version: declared.version } : reference);
  const { outputColumns, ...found } = await deps.db.one<Found & { outputColumns: OutputColumns | null }>(
    sql`select schema, inputs, options, output_columns as "outputColumns" from model_versions where no = ${row.no}`,
  );
  const model = { name: row.name, version: row.version, executor: row.executor as ExecutorName, options: found.options };
  const columns = outputColumnsOf({ executor: model.executor, outputColumns: outputColumns ?? undefined });
  if (found.schema !== null) return withOutputs(found.schema, columns);
  if (knowsInputs(model)) return withOutputs(taskSchema(model), columns);
  if (found.inputs === null)
    throw new ApiError('conflict', `Nothing is known of the inputs of '${shownReference(reference)}' yet: it is '${row.status}'.`);
  return withOutputs(schemaOfPorts(`${row.name}@${row.version}`, found.inputs), columns);
};

interface Found {
  schema: Schema | null;
  inputs: ModelPort[] | null;
  options: Schema;
}
