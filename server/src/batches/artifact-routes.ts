import { ArtifactList } from '@sluice/contract';
import { Type } from 'typebox';
import { findArtifact, listArtifacts, type ArtifactRow, type Owner } from '../artifacts/artifacts.ts';
import { sendArtifact, shown } from '../artifacts/send.ts';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { describeRequests } from '../requests/view.ts';
import type { Storage } from '../storage/storage.ts';
import { getBatch } from './read.ts';
import type { BatchRow } from './rows.ts';

interface Deps {
  db: Db;
  storage: Storage;
}

const ofBatch = Type.Object({ id: Type.String() });
const ofRequest = Type.Object({
  id: Type.String(),
  line: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'The line of the request, from 1.' }),
});
const which = Type.Object({
  attempt: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 32_767, description: 'Of this attempt; absent: of the newest that left files.' }),
  ),
});
const name = Type.String({ description: 'As the list has it: `structure.cif`.' });

const ownerOf = async ({ db }: Deps, identity: Identity, id: string, line: number): Promise<{ batch: BatchRow; owner: Owner }> => {
  const batch = await getBatch(db, identity, id);
  if (line > batch.total)
    throw new ApiError('not_found', `The batch ${id} has ${batch.total} requests; there is no line ${line}.`, { param: 'line' });
  return { batch, owner: { batchNo: batch.no, line } };
};

/** What is missing, and why where that can be said: a request that was not run has the files of the one whose answer it got. */
const missing = async (deps: Deps, batch: BatchRow, line: number, wanted: string): Promise<ApiError> => {
  const [request] = line === 0 ? [] : await describeRequests(deps, batch, [line]);
  const why =
    request === undefined
      ? ''
      : ` It is ${request.state}.${request.dedup?.original ? ` Its answer is that of ${request.dedup.original}.` : ''}`;
  return new ApiError('not_found', `${line === 0 ? batch.id : `The request of line ${line}`} has no file '${wanted}'.${why}`, {
    param: 'name',
  });
};

/** Files that a batch and its requests left. */
export const artifactRoutes = (app: App, deps: Deps): void => {
  const { db, storage } = deps;
  const list = (base: string, rows: readonly ArtifactRow[]) => ({ object: 'list' as const, data: rows.map((row) => shown(row, base)) });

  app.get(
    '/v1/batches/:id/artifacts',
    {
      schema: {
        summary: 'List the files of a batch as a whole',
        description: 'Those that a screen has when it has ended: results, summary, indexes.',
        operationId: 'listBatchArtifacts',
        params: ofBatch,
        response: { 200: ArtifactList },
      },
    },
    async (request) => {
      const batch = await getBatch(db, request.identity, request.params.id);
      return list(`/v1/batches/${batch.id}/artifacts`, await listArtifacts(db, { batchNo: batch.no, line: 0 }));
    },
  );

  app.get(
    '/v1/batches/:id/artifacts/:name',
    {
      schema: {
        summary: 'Download a file of a batch as a whole',
        operationId: 'getBatchArtifact',
        params: Type.Object({ id: Type.String(), name }),
        produces: ['application/octet-stream'],
      },
    },
    async (request, reply) => {
      const batch = await getBatch(db, request.identity, request.params.id);
      const row = await findArtifact(db, { batchNo: batch.no, line: 0 }, request.params.name);
      if (row === null) throw await missing(deps, batch, 0, request.params.name);
      return sendArtifact(request, reply, storage, row);
    },
  );

  app.get(
    '/v1/batches/:id/requests/:line/artifacts',
    {
      schema: {
        summary: 'List the files that a request left',
        description: 'Structures, tables, the log; of a request that failed too.',
        operationId: 'listRequestArtifacts',
        params: ofRequest,
        querystring: which,
        response: { 200: ArtifactList },
      },
    },
    async (request) => {
      const { id, line } = request.params;
      const { owner } = await ownerOf(deps, request.identity, id, line);
      return list(`/v1/batches/${id}/requests/${line}/artifacts`, await listArtifacts(db, owner, request.query.attempt ?? null));
    },
  );

  app.get(
    '/v1/batches/:id/requests/:line/artifacts/:name',
    {
      schema: {
        summary: 'Download a file that a request left',
        description: 'Ranges are answered. Always as an attachment: what a program left is not run by a browser.',
        operationId: 'getRequestArtifact',
        params: Type.Object({ ...ofRequest.properties, name }),
        querystring: which,
        produces: ['application/octet-stream'],
      },
    },
    async (request, reply) => {
      const { id, line, name: wanted } = request.params;
      const { batch, owner } = await ownerOf(deps, request.identity, id, line);
      const row = await findArtifact(db, owner, wanted, request.query.attempt ?? null);
      if (row === null) throw await missing(deps, batch, line, wanted);
      return sendArtifact(request, reply, storage, row);
    },
  );
};
