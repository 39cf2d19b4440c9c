import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Db } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { batchEvents, currentPlace, readPlace, standingOf, tenantEvents, writePlace, type Place } from './events.ts';
import { newestProgress, progressOfEach } from './progress-cache.ts';
import { getBatch } from './read.ts';
import { streamEvents, toEvent, type StreamSource } from './stream.ts';
import { terminal } from './state.ts';

const After = Type.Object({
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Start after this number; like the header Last-Event-ID.' }),
  ),
});

/** The header Last-Event-ID, which goes before what the address says: browsers send it when they come back. */
const lastEventId = (request: FastifyRequest, form: RegExp): string | undefined => {
  const header = request.headers['last-event-id'];
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !form.test(header))
    throw new ApiError('invalid_value', 'Last-Event-ID must be the id of an event of this stream.', { param: 'Last-Event-ID' });
  return header;
};

const numberAfter = (request: FastifyRequest, after: number | undefined): number =>
  Number(lastEventId(request, /^\d{1,15}$/) ?? after ?? 0);

interface EventDeps {
  db: Db;
  listener: Listener;
  /** Told when a stream begins (1) and when it has ended (-1). */
  onStream?: (change: 1 | -1) => void;
}

/** Events as Server-Sent Events, of one batch or of all of the tenant's. */
export const eventRoutes = (app: App, { db, listener, onStream }: EventDeps): void => {
  const open = async <P>(request: FastifyRequest, reply: FastifyReply, source: StreamSource<P>, from: P): Promise<void> => {
    reply.hijack();
    const headers = Object.fromEntries(
      Object.entries(reply.getHeaders()).filter((entry): entry is [string, string | number | string[]] => entry[1] !== undefined),
    );
    // nginx and its kin would hold the stream back.
    reply.raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    reply.raw.flushHeaders();
    onStream?.(1);
    try {
      await streamEvents(reply.raw, listener, source, from, app.closing);
    } catch (error) {
      // The headers are out: all that is left is to end the stream, and the reader comes back with its number.
      request.log.warn({ err: error }, 'an event stream broke off');
    } finally {
      onStream?.(-1);
    }
  };

  app.get(
    '/v1/batches/:id/events',
    {
      schema: {
        summary: 'Stream a batch’s events',
        description:
          'Server-Sent Events, from the first one or after `Last-Event-ID`; `batch.progress` events between carry live counts. Ends with the batch; 204 where it has ended and there is nothing more. With `Accept: application/json` those that have happened, 500 at most, as a list.',
        operationId: 'streamBatchEvents',
        params: Type.Object({ id: Type.String() }),
        querystring: After,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const batch = await getBatch(db, request.identity, request.params.id);
      // A browser's EventSource asks for a stream by name, and curl for anything.
      if (request.headers.accept === 'application/json') {
        const found = await batchEvents(db, batch.no, numberAfter(request, request.query.after));
        return reply.send({ object: 'list', data: found.map((event) => toEvent(event, event.number)), has_more: found.length === 500 });
      }
      const source: StreamSource<number> = {
        read: (after) => batchEvents(db, batch.no, after),
        place: (event) => event.number,
        write: String,
        number: (event) => event.number,
        progress: async () => {
          const now = await getBatch(db, request.identity, batch.id);
          const found = (await progressOfEach(db, [now])).get(batch.no);
          return found === undefined ? [] : [{ id: batch.id, total: now.total, ...found }];
        },
        last: (event) => ['batch.completed', 'batch.failed', 'batch.expired', 'batch.cancelled'].includes(event.type),
      };
      const standing = await standingOf(db, batch.no);
      const over = standing === null || terminal(standing.status);
      if (over) delete source.progress;
      // A number that is still to come would be waited for in vain.
      const from = Math.min(numberAfter(request, request.query.after), standing?.events ?? 0);
      // Browsers come back with the last number for ever, unless they are told to stop by this status.
      if (over && from === (standing?.events ?? 0)) return reply.code(204).send();
      await open(request, reply, source, from);
    },
  );

  app.get(
    '/v1/events',
    {
      schema: {
        summary: 'Stream all events of the tenant',
        description:
          'Server-Sent Events. With `progress=true`, `batch.progress` events between them carry live counts of the newest running batches.',
        operationId: 'streamEvents',
        querystring: Type.Object({
          after: Type.Optional(
            Type.String({
              pattern: '^(\\d{1,15}(-\\d{1,15})?|latest)$',
              description:
                'Start after this `id` of the stream, like the header Last-Event-ID; after the `number` of an event some may come again; `latest`: with what happens from now on.',
            }),
          ),
          progress: Type.Optional(Type.Boolean()),
        }),
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { tenant } = request.identity;
      const { after, progress } = request.query;
      const source: StreamSource<Place> = {
        read: (after) => tenantEvents(db, tenant, after),
        place: ({ xid, id }) => ({ xid, id }),
        write: writePlace,
        number: (event) => event.id,
        ...(progress === true && { progress: () => newestProgress(db, tenant) }),
      };
      const written = lastEventId(request, /^\d{1,15}(-\d{1,15})?$/) ?? after ?? '0';
      await open(request, reply, source, written === 'latest' ? await currentPlace(db) : await readPlace(db, tenant, written));
    },
  );
};
