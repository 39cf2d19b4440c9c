import { ModelDetails } from '@sluice/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Reference } from '../models/names.ts';
import { anyModel, anyVersion, versionIn } from './params.ts';
import { getModel, referenceOf } from './read.ts';
import type { RegisterDeps } from './register.ts';
import { uploadModel, type Earlier } from './upload.ts';

export interface UploadRouteDeps extends RegisterDeps {
  /** Bytes a model's file may have. */
  maxBytes: number;
}

/** For the document only: the form is read as it comes. */
const ModelForm = Type.Object({ file: Type.String({ format: 'binary' }) });

const earlierOf = (body: unknown): Earlier => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  for (const [key, value] of Object.entries(body)) {
    if (key !== 'upload_id' && key !== 'file_id')
      throw new ApiError('unknown_parameter', `Unknown parameter: '${key.slice(0, 100)}'.`, { param: key.slice(0, 100) });
    if (typeof value !== 'string') throw new ApiError('invalid_type', `Invalid type for '${key}': expected a string.`, { param: key });
  }
  return body;
};

/** Where a model's file comes in. */
export const uploadRoutes = (app: App, deps: UploadRouteDeps): void => {
  // A form is read from the request itself, as it comes.
  const unchecked = { validatorCompiler: () => () => true };
  const schema = {
    description:
      'A form with the field `file`, or JSON with `upload_id` (a completed upload in parts, which can be resumed) or `file_id`. It is vetted then.',
    consumes: ['multipart/form-data', 'application/json'],
    body: ModelForm,
    response: { 200: ModelDetails },
  };
  const take = async (request: FastifyRequest, reference: Reference): Promise<ModelDetails> => {
    const isJson = /^application\/json\b/i.test(request.headers['content-type'] ?? '');
    const source = isJson ? { earlier: earlierOf(request.body) } : { request: request.raw };
    return getModel(deps, request.identity, await uploadModel({ ...deps, log: request.log }, request.identity, reference, source));
  };
  app.post(
    '/v1/models/:model/upload',
    {
      ...unchecked,
      schema: { summary: "Upload a model's file", operationId: 'uploadModel', params: anyModel, ...schema },
    },
    (request) => take(request, referenceOf(request.params.model)),
  );
  app.post(
    '/v1/models/:model/versions/:version/upload',
    {
      ...unchecked,
      schema: { summary: "Upload a version's file", operationId: 'uploadModelVersion', params: anyVersion, ...schema },
    },
    (request) => take(request, versionIn(request.params)),
  );
};
