import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { executorEndpoints, type ExecutorName } from '../models/models.ts';
import { outputColumnsOf, withOutputs } from './output-columns.ts';
import { schemaOfPorts } from './schema.ts';
import { taskSchema } from './task-schemas.ts';

const ajv = new Ajv2020({ strict: false });

test('every executor has a schema of its inputs, whose examples it accepts', () => {
  for (const executor of Object.keys(executorEndpoints) as ExecutorName[]) {
    const schema = taskSchema({ name: 'm', version: '1.0.0', executor, options: {} });
    expect(schema).toMatchObject({ type: 'object', title: 'm@1.0.0' });
    const check = ajv.compile(schema);
    for (const example of (schema['examples'] ?? []) as unknown[])
      expect(check(example), `${executor}: ${ajv.errorsText(check.errors)}`).toBe(true);
  }
  const molecule = taskSchema({ name: 'm', version: '1.0.0', executor: 'onnx', options: { preprocess: 'smiles-morgan2048-desc16' } });
  const check = ajv.compile(molecule);
  expect(molecule).toMatchObject({ properties: { smiles: { title: 'SMILES', examples: [expect.any(String)] } } });
  expect([check({ smiles: 'CCO' }), check({ smiles: '' }), check({})]).toEqual([true, false, false]);
});

test('the ports of a file have titles, and examples that fit', () => {
  const schema = schemaOfPorts('m@1.0.0', [
    { name: 'x', type: 'float32', shape: ['N', 4] },
    { name: 'on', type: 'bool', shape: ['N'] },
    { name: 'large', type: 'float32', shape: ['N', 2064] },
  ]);
  const properties = schema['properties'] as Record<string, { title: string; examples?: unknown[] }>;
  expect(Object.entries(properties).map(([name, { title, examples }]) => [name, title, examples])).toEqual([
    ['x', 'x', [[0, 0, 0, 0]]],
    ['on', 'on', [true]],
    ['large', 'large', undefined],
  ]);
  expect(ajv.compile(schema)({ x: [0, 0, 0, 0], on: true, large: Array(2064).fill(0) })).toBe(true);
});

test('outputs stand beside the inputs, those that are declared before those of the executor', () => {
  const model = {
    name: 'm',
    version: '1.0.0',
    executor: 'boltz' as const,
    options: {},
    outputColumns: { ic50_um: { unit: 'nM' }, own: {} },
  };
  const schema = withOutputs(taskSchema(model), outputColumnsOf(model));
  ajv.compile(schema);
  expect(schema).toMatchObject({
    $defs: {
      parameters: {},
      outputs: { properties: { ic50_um: { 'x-unit': 'nM' }, own: {}, complex_pde: { 'x-unit': 'Å' } } },
    },
  });
  expect(outputColumnsOf({ executor: 'descriptors' })['rdkit_mol_weight']).toEqual({
    title: 'average molecular weight (amw) (RDKit)',
    unit: 'g/mol',
  });
  expect(withOutputs({ type: 'object' }, {})).toEqual({ type: 'object' });
});
