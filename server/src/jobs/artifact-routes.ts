import { ArtifactList } from '@sluice/contract';
import { Type } from 'typebox';
import { findArtifact, listArtifacts } from '../artifacts/artifacts.ts';
import { sendArtifact, shown } from '../artifacts/send.ts';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { getJob } from './read.ts';

const which = Type.Object({
  attempt: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 32_767, description: 'Of this attempt; absent: of the newest that left files.' }),
  ),
});

/** Files that a job left. */
export const jobArtifactRoutes = (app: App, { db, storage }: { db: Db; storage: Storage }): void => {
  app.get(
    '/v1/jobs/:id/artifacts',
    {
      schema: {
        summary: 'List the files that a job left',
        description: 'Structures, tables, the log; of a job that failed too.',
        operationId: 'listJobArtifacts',
        params: Type.Object({ id: Type.String() }),
        querystring: which,
        response: { 200: ArtifactList },
      },
    },
    async (request) => {
      const { id } = await getJob(db, request.identity, request.params.id);
      const rows = await listArtifacts(db, { job: id }, request.query.attempt ?? null);
      return { object: 'list' as const, data: rows.map((row) => shown(row, `/v1/jobs/${id}/artifacts`)) };
    },
  );

  app.get(
    '/v1/jobs/:id/artifacts/:name',
    {
      schema: {
        summary: 'Download a file that a job left',
        operationId: 'getJobArtifact',
        params: Type.Object({ id: Type.String(), name: Type.String() }),
        querystring: which,
        produces: ['application/octet-stream'],
      },
    },
    async (request, reply) => {
      const { id, state } = await getJob(db, request.identity, request.params.id);
      const row = await findArtifact(db, { job: id }, request.params.name, request.query.attempt ?? null);
      if (row === null)
        throw new ApiError('not_found', `The job '${id}' has no file '${request.params.name}'. It is ${state}.`, { param: 'name' });
      return sendArtifact(request, reply, storage, row);
    },
  );
};
