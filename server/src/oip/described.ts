import { InferenceModel, InferenceReply, InferenceRequest, InferenceServer } from '@sluice/contract';
import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import type { Verb } from './target.ts';

/** A route as OpenAPI shows it; what a body holds is checked where it is read. */
export const described = (summary: string, operationId: string, more: FastifySchema = {}): { schema: FastifySchema } => ({
  schema: { summary, operationId, ...more },
});

const reply = (schema: object, summary: string) => ({ response: { 200: { description: summary, ...schema } } });

const name = Type.String({ description: 'Its name, or `name@alias`; a `/` in it as it is, or as `%2F`.' });
const named = Type.Object({ model: name });
const versioned = Type.Object({ model: name, version: Type.String({ description: 'Semantic: `1.10.0`.' }) });

const Stats = Type.Object({ model_stats: Type.Array(Type.Unknown(), { description: "As Triton's statistics extension has them." }) });
const Config = Type.Unknown({ description: "As Triton's model configuration extension has it." });
const Ready = Type.Object({ name: Type.String(), ready: Type.Boolean(), error: Type.Optional(Type.String()) });

export const server = described('What the server is', 'inferenceServer', { response: { 200: InferenceServer } });
export const list = described('List the ONNX models', 'inferenceModels', {
  response: { 200: Type.Object({ models: Type.Array(Type.String()) }) },
});
export const statistics = described('Statistics of all of them', 'inferenceStatistics', { response: { 200: Stats } });
export const index = described('Their versions and states', 'inferenceIndex', {
  body: Type.Object({ ready: Type.Optional(Type.Boolean()) }),
  response: {
    200: Type.Array(Type.Object({ name: Type.String(), version: Type.String(), state: Type.String(), reason: Type.String() })),
  },
});

interface About {
  path: string;
  summary: string;
  operationId: string;
  more: FastifySchema;
}

/** What can be asked of a model, of one version as well. */
const ofModel: Partial<Record<Verb, About>> = {
  metadata: {
    path: '',
    summary: 'What a model takes and gives',
    operationId: 'inferenceModel',
    more: { response: { 200: InferenceModel } },
  },
  ready: {
    path: '/ready',
    summary: 'Whether it can be asked; 503 otherwise. Loads it where it is not loaded yet',
    operationId: 'inferenceModelReady',
    more: { response: { 200: Ready } },
  },
  config: { path: '/config', summary: 'The same as Triton has it', operationId: 'inferenceModelConfig', more: reply(Config, 'Done.') },
  stats: {
    path: '/stats',
    summary: 'What it was asked since the server began',
    operationId: 'inferenceModelStatistics',
    more: { response: { 200: Stats } },
  },
  infer: {
    path: '/infer',
    summary: 'Infer',
    operationId: 'infer',
    more: {
      description:
        'Tensors in JSON, or as bytes after it: `Inference-Header-Content-Length` tells how many bytes of the body are JSON (0: one tensor and nothing else).',
      consumes: ['application/json', 'application/octet-stream'],
      body: InferenceRequest,
      response: { 200: InferenceReply },
    },
  },
};

/** The addresses under which a verb is described; those of names with a `/` are the same, and need no description. */
export const addresses = (verb: Verb): [string, { schema: FastifySchema }][] => {
  const about = ofModel[verb];
  if (!about) return [];
  const { path, summary, operationId, more } = about;
  return [
    [`/v2/models/:model${path}`, described(summary, operationId, { params: named, ...more })],
    [
      `/v2/models/:model/versions/:version${path}`,
      described(`${summary} (one version)`, `${operationId}OfVersion`, { params: versioned, ...more }),
    ],
  ];
};

export const load = described('Load a model now', 'inferenceLoad', { params: named });
export const unload = described('End its processes; its next request loads it again', 'inferenceUnload', { params: named });
