import { BoltzInputs, BoltzParameters, ChaiInputs, ChaiParameters, RfAntibodyInputs, RfAntibodyParameters } from '@sluice/contract';
import { takesSmiles, type ModelSpec } from '../models/models.ts';

export type Schema = Record<string, unknown>;

export const draft = 'https://json-schema.org/draft/2020-12/schema';

/** What is asked of a molecule. */
const molecule: Schema = {
  type: 'object',
  properties: {
    smiles: {
      type: 'string',
      title: 'SMILES',
      minLength: 1,
      maxLength: 2_000,
      description: 'A molecule as SMILES.',
      examples: ['CC(=O)Oc1ccccc1C(=O)O'],
    },
  },
  required: ['smiles'],
  examples: [{ smiles: 'CC(=O)Oc1ccccc1C(=O)O' }],
};

const chat: Schema = {
  type: 'object',
  description: 'The body of a request for a chat; other endpoints of the model take the bodies that OpenAI documents.',
  properties: {
    messages: {
      type: 'array',
      title: 'Messages',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          role: { type: 'string', title: 'Who says it', enum: ['system', 'developer', 'user', 'assistant', 'tool'], default: 'user' },
          content: { title: 'What is said', type: ['string', 'array', 'null'] },
        },
        required: ['role'],
      },
      examples: [[{ role: 'user', content: 'Name three amino acids.' }]],
    },
    max_tokens: { type: 'integer', title: 'Tokens at most', minimum: 1, 'x-unit': 'tokens' },
    temperature: { type: 'number', title: 'Temperature', minimum: 0, maximum: 2 },
    seed: { type: 'integer', title: 'Seed' },
  },
  required: ['messages'],
};

const anything = (description: string, examples: unknown[] = []): Schema => ({
  type: 'object',
  additionalProperties: true,
  description,
  ...(examples.length > 0 && { examples }),
});

/** A contract's own schema as plain JSON. */
const plain = (schema: object): Schema => JSON.parse(JSON.stringify(schema)) as Schema;

/** What may stand beside the inputs, as `parameters`: all of them have defaults. */
const beside = (schema: object): Schema => {
  const { required: _, ...parameters } = plain(schema);
  return { parameters };
};

const sequence = 'MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ';

const byExecutor = ({ executor, options }: Pick<ModelSpec, 'executor' | 'options'>): Schema => {
  switch (executor) {
    case 'boltz':
    case 'http':
      return {
        ...plain(BoltzInputs),
        $defs: beside(BoltzParameters),
        examples: [{ protein: sequence, smiles: 'CC(=O)Oc1ccccc1C(=O)O', affinity: true }],
      };
    case 'chai':
      return {
        ...plain(ChaiInputs),
        $defs: beside(ChaiParameters),
        examples: [
          {
            entities: [
              { type: 'protein', sequence },
              { type: 'ligand', smiles: 'CCO' },
            ],
          },
        ],
      };
    case 'rfantibody':
      return { ...plain(RfAntibodyInputs), $defs: beside(RfAntibodyParameters) };
    case 'openai':
      return chat;
    case 'echo':
      return anything('Anything: it answers with what it was sent.', [{ x: 1 }]);
    case 'oip':
      return anything('An array for each input of the model; the server that runs it says which: `GET /v2/models/{name}`.');
    case 'command':
      return anything('What the template of its configuration fills in.');
    case 'descriptors':
      return molecule;
    case 'onnx':
      return takesSmiles({ executor, options })
        ? molecule
        : anything('An array or number for each input of its file; `GET /v2/models/{name}` names them.');
  }
};

/**
 * What a form for a model is drawn from, where nobody declared a schema: a JSON Schema of its inputs (of `openai`: of the
 * body), with titles, examples, and units as `x-unit`.
 */
export const taskSchema = (model: ModelSpec): Schema => ({
  $schema: draft,
  ...byExecutor(model),
  title: `${model.name}@${model.version}`,
});

/** Whether an executor knows what it takes without a look at a file. */
export const knowsInputs = (model: Pick<ModelSpec, 'executor' | 'options'>): boolean => model.executor !== 'onnx' || takesSmiles(model);
