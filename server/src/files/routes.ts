import {
  CompleteUpload,
  CreateUpload,
  DeletedFile,
  FileObject,
  FilePage,
  ListFiles,
  Upload,
  UploadPart,
  uploadPurposes,
} from '@sluice/contract';
import { Type } from 'typebox';
import type { Limits } from '../config.ts';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import type { Storage } from '../storage/storage.ts';
import { sendContent } from './content.ts';
import { deleteFile, getFile, pageOfFiles } from './files.ts';
import { toFile } from './queries.ts';
import type { IsTable } from './sniff.ts';
import { receiveFile, receivePart } from './accept.ts';
import { cancelUpload, completeUpload, createUpload, getUpload } from './uploads.ts';

export interface FileRoutesDeps {
  db: Db;
  storage: Storage;
  limits: Pick<Limits, 'maxFileBytes' | 'openai'>;
  /** What is a table, for batches take them too; absent: nothing is. */
  isTable?: IsTable;
}

const params = Type.Object({ id: Type.String() });
const binary = Type.String({ format: 'binary' });

/** For the document only: the form is read as it comes, and checked in form.ts. */
const FileForm = Type.Object({
  file: binary,
  purpose: Type.Enum([...uploadPurposes]),
  'expires_after[anchor]': Type.Optional(Type.Literal('created_at')),
  'expires_after[seconds]': Type.Optional(Type.Integer({ minimum: 3600, maximum: 2_592_000 })),
});
const PartForm = Type.Object({ data: binary });

/** `/v1/files` and `/v1/uploads`, as OpenAI's. */
export const fileRoutes = (app: App, deps: FileRoutesDeps): void => {
  app.register(async (scope: App) => formRoutes(scope, deps));
  readRoutes(app, deps);
  uploadRoutes(app, deps);
};

/** Routes that read a form: their bodies are not parsed, whatever type they claim to have. */
const formRoutes = (scope: App, deps: FileRoutesDeps): void => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null, null));
  const form = { consumes: ['multipart/form-data'] };
  const unchecked = { validatorCompiler: () => () => true };

  scope.post(
    '/v1/files',
    {
      ...unchecked,
      schema: { summary: 'Upload a file', operationId: 'createFile', ...form, body: FileForm, response: { 200: FileObject } },
    },
    async (request): Promise<FileObject> => toFile(await receiveFile({ ...deps, log: request.log }, request.identity, request.raw)),
  );
  scope.post(
    '/v1/uploads/:id/parts',
    {
      ...unchecked,
      schema: {
        summary: 'Add a part to an upload',
        operationId: 'addUploadPart',
        ...form,
        params,
        body: PartForm,
        response: { 200: UploadPart },
      },
    },
    async (request): Promise<UploadPart> => receivePart({ ...deps, log: request.log }, request.identity, request.params.id, request.raw),
  );
};

const readRoutes = (app: App, { db, storage }: FileRoutesDeps): void => {
  app.get(
    '/v1/files',
    { schema: { summary: 'List files', operationId: 'listFiles', querystring: ListFiles, response: { 200: FilePage } } },
    (request): Promise<FilePage> => pageOfFiles(db, request.identity, request.query),
  );
  app.get(
    '/v1/files/:id',
    { schema: { summary: 'Get a file', operationId: 'retrieveFile', params, response: { 200: FileObject } } },
    async (request): Promise<FileObject> => toFile(await getFile(db, request.identity, request.params.id)),
  );
  app.delete(
    '/v1/files/:id',
    {
      schema: {
        summary: 'Delete a file',
        description: 'A batch that was accepted before still reads it to its end.',
        operationId: 'deleteFile',
        params,
        response: { 200: DeletedFile },
      },
    },
    async (request): Promise<DeletedFile> => {
      await deleteFile(db, request.identity, request.params.id);
      return { id: request.params.id, object: 'file', deleted: true };
    },
  );
  const content = { summary: 'Get the content of a file, or a range of it', params };
  // Both by hand: the framework's own HEAD would read the whole file to throw it away.
  app.head('/v1/files/:id/content', { schema: { ...content, operationId: 'headFileContent' } }, async (request, reply) =>
    sendContent(request, reply, storage, await getFile(db, request.identity, request.params.id)),
  );
  app.get('/v1/files/:id/content', { schema: { ...content, operationId: 'downloadFile' } }, async (request, reply) =>
    sendContent(request, reply, storage, await getFile(db, request.identity, request.params.id)),
  );
};

const uploadRoutes = (app: App, deps: FileRoutesDeps): void => {
  const { db, limits } = deps;
  app.post(
    '/v1/uploads',
    { schema: { summary: 'Begin an upload in parts', operationId: 'createUpload', body: CreateUpload, response: { 200: Upload } } },
    (request): Promise<Upload> => createUpload(db, request.identity, request.body, limits),
  );
  app.get(
    '/v1/uploads/:id',
    { schema: { summary: 'Get an upload', operationId: 'retrieveUpload', params, response: { 200: Upload } } },
    (request): Promise<Upload> => getUpload(db, request.identity, request.params.id),
  );
  app.post(
    '/v1/uploads/:id/complete',
    {
      schema: {
        summary: 'Make a file of the parts',
        operationId: 'completeUpload',
        params,
        body: CompleteUpload,
        response: { 200: Upload },
      },
    },
    (request): Promise<Upload> => completeUpload(deps, request.identity, request.params.id, request.body),
  );
  app.post(
    '/v1/uploads/:id/cancel',
    { schema: { summary: 'Cancel an upload', operationId: 'cancelUpload', params, response: { 200: Upload } } },
    (request): Promise<Upload> => cancelUpload(db, request.identity, request.params.id),
  );
};
