import {
  ArchivedFiles,
  ArchivePage,
  BatchPage,
  ChildPage,
  CreateScreen,
  DeletedArchive,
  ligandStatuses,
  Screen,
  ScreenPage,
} from '@sluice/contract';
import { Type } from 'typebox';
import type { ScreenChild } from '@sluice/contract';
import { sql } from '../db/sql.ts';
import { safeType, shown } from '../artifacts/send.ts';
import { childrenOf } from '../batches/children.ts';
import { getBatch, present } from '../batches/read.ts';
import type { BatchRow } from '../batches/rows.ts';
import { sendBytes } from '../files/content.ts';
import { idempotencyKeyOf } from '../jobs/routes.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { requestId } from '../lib/ids.ts';
import type { ArtifactRow } from '../artifacts/artifacts.ts';
import { archivedFile, archivedFiles, archiveFolder, deleteArchive, listArchives } from './archive.ts';
import { createScreen, type ScreenDeps } from './create.ts';
import { getScreen, listScreens, toScreens } from './read.ts';
import { ligandsOf, type RecordDeps } from './records.ts';

const anyId = Type.Object({ id: Type.String() });
const page = {
  after: Type.Optional(Type.String({ description: 'The `last_id` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
};
const user = Type.Optional(Type.String({ description: 'Only those of this user.' }));

/** Lines looked at in one go, where only some of them are wanted. */
const window = 200;

const withFiles = async ({ db }: RecordDeps, batch: BatchRow, found: Awaited<ReturnType<typeof ligandsOf>>): Promise<ScreenChild[]> => {
  const rows = await db.many<ArtifactRow & { line: number }>(sql`
    select line, attempt, name, storage_key, content_type, bytes, sha256 from artifacts a
    where batch_no = ${batch.no} and line = any(${found.map(({ record }) => record.line)}::int[])
      and attempt = (select max(attempt) from artifacts n where n.batch_no = a.batch_no and n.line = a.line)
    order by line, name`);
  const files = Map.groupBy(rows, ({ line }) => line);
  return found.map(({ record }) => {
    const own = files.get(record.line) ?? [];
    const pathOf = (name: string): string | null => (own.some((file) => file.name === name) ? `jobs/${record.request}/${name}` : null);
    return {
      ...record,
      structure_path: pathOf('structure.cif'),
      plddt_path: pathOf('plddt.npz'),
      artifacts: own.map((row) => shown(row, `/v1/batches/${batch.id}/requests/${record.line}/artifacts`)),
    };
  });
};

/** `/v1/screens`: proteins against ligands; and what is archived of them. */
export const screenRoutes = (app: App, deps: ScreenDeps & RecordDeps): void => {
  const { db, storage } = deps;

  app.post(
    '/v1/screens',
    {
      schema: {
        summary: 'Screen a protein against ligands',
        description:
          'The server writes a request for each ligand and makes a batch of them: progress, events, cancel, retry and deletion are those of batches. The same Idempotency-Key gives the same screen.',
        operationId: 'createScreen',
        body: CreateScreen,
        response: { 200: Screen },
      },
    },
    async (request, reply): Promise<Screen> => {
      const { idempotencyKey } = idempotencyKeyOf(request);
      const { batch, created, headers } = await createScreen(deps, request.identity, request.body, idempotencyKey);
      reply.headers(headers);
      if (!created) reply.header('idempotent-replayed', 'true');
      return (await toScreens(db, [await getScreen(db, request.identity, batch.id)], { whole: true }))[0]!;
    },
  );

  app.get(
    '/v1/screens',
    {
      schema: {
        summary: 'List screens, newest first',
        operationId: 'listScreens',
        querystring: Type.Object({ ...page, user }),
        response: { 200: ScreenPage },
      },
    },
    async (request) => {
      const { limit = 20, ...filter } = request.query;
      const { rows, more } = await listScreens(db, request.identity, { ...filter, limit });
      const data = await toScreens(db, rows, { whole: false });
      return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: more };
    },
  );

  app.get(
    '/v1/screens/:id',
    {
      schema: {
        summary: 'Get a screen, with its summary once it has ended',
        operationId: 'getScreen',
        params: anyId,
        response: { 200: Screen },
      },
    },
    async (request): Promise<Screen> =>
      (await toScreens(db, [await getScreen(db, request.identity, request.params.id)], { whole: true }))[0]!,
  );

  app.get(
    '/v1/batches/:id/children',
    {
      schema: {
        summary: 'List the ligands of a screen, or the batches of one of several models',
        description:
          'Ligands in their order, each with its state, affinity, confidence and files, while the screen runs too. Of a batch of several models: a batch a model, the heaviest first, all at once; each can be watched, cancelled and retried alone.',
        operationId: 'listBatchChildren',
        params: anyId,
        querystring: Type.Object({
          ...page,
          status: Type.Optional(Type.Enum([...ligandStatuses], { description: 'Only ligands of this status.' })),
        }),
        response: { 200: Type.Union([ChildPage, BatchPage]) },
      },
    },
    async (request) => {
      const batch = await getBatch(db, request.identity, request.params.id);
      const { after, limit = 20, status } = request.query;
      if (batch.kind === 'parent') {
        const data = await present(db, await childrenOf(db, [batch.no]));
        return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: false };
      }
      if (batch.kind !== 'screen')
        throw new ApiError(
          'conflict',
          `${batch.id} is neither a screen nor one of several models: its requests are at /v1/batches/${batch.id}/requests.`,
          { param: 'id' },
        );
      const from = after === undefined ? 1 : lineAfter(batch, after);
      const found: Awaited<ReturnType<typeof ligandsOf>> = [];
      for (let line = from; line <= batch.total && found.length <= limit; line += window) {
        const count = Math.min(status === undefined ? limit + 1 - found.length : window, window, batch.total - line + 1);
        const some = await ligandsOf(
          deps,
          batch,
          Array.from({ length: count }, (_, i) => line + i),
        );
        found.push(...some.filter(({ record }) => status === undefined || record.status === status));
        if (status === undefined && found.length > limit) break;
      }
      const data = await withFiles(deps, batch, found.slice(0, limit));
      return {
        object: 'list' as const,
        data,
        first_id: data[0]?.request ?? null,
        last_id: data.at(-1)?.request ?? null,
        has_more: found.length > limit,
      };
    },
  );

  app.get(
    '/v1/archive',
    {
      schema: {
        summary: 'List what is archived, newest first',
        description: 'Files of screens, kept when the batch itself is gone.',
        operationId: 'listArchives',
        querystring: Type.Object({ ...page, user }),
        response: { 200: ArchivePage },
      },
    },
    async (request) => {
      const { limit = 20, ...filter } = request.query;
      const { rows: data, more } = await listArchives(db, request.identity, { ...filter, limit });
      return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: more };
    },
  );

  app.get(
    '/v1/archive/:id',
    {
      schema: {
        summary: 'List the archived files of a batch',
        operationId: 'listArchivedFiles',
        params: anyId,
        response: { 200: ArchivedFiles },
      },
    },
    async (request) => ({ object: 'list' as const, data: await archivedFiles(db, request.identity, request.params.id) }),
  );

  app.get(
    '/v1/archive/:id/content',
    {
      schema: {
        summary: 'Download an archived file',
        operationId: 'getArchivedFile',
        params: anyId,
        querystring: Type.Object({ path: Type.String({ maxLength: 500, description: 'As the list has it.' }) }),
        produces: ['application/octet-stream'],
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { path, content_type, bytes, sha256 } = await archivedFile(db, request.identity, id, request.query.path);
      return sendBytes(request, reply.header('content-security-policy', "sandbox; default-src 'none'"), storage, {
        key: `${archiveFolder(request.identity.tenant, id)}/${path}`,
        bytes,
        sha256,
        filename: path.split('/').at(-1)!,
        type: safeType(content_type),
      });
    },
  );

  app.delete(
    '/v1/archive/:id',
    {
      schema: {
        summary: 'Delete what is archived of a batch',
        operationId: 'deleteArchive',
        params: anyId,
        response: { 200: DeletedArchive },
      },
    },
    async (request) => {
      await deleteArchive(db, storage, request.identity, request.params.id);
      return { id: request.params.id, object: 'archive' as const, deleted: true as const };
    },
  );
};

const lineAfter = (batch: BatchRow, after: string): number => {
  const line = Number.parseInt(after.slice(-8), 16);
  if (!Number.isInteger(line) || requestId(batch.id, line) !== after)
    throw new ApiError('invalid_value', `'${after.slice(0, 100)}' is no request of ${batch.id}.`, { param: 'after' });
  return line + 1;
};
