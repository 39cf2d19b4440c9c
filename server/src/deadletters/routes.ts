import {
  DeadLetterDetails,
  DeadLetterPage,
  DeadLetterQuery,
  DiscardDeadLetters,
  DiscardedDeadLetters,
  ListDeadLetters,
} from '@sluice/contract';
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { discardDeadLetters } from './discard.ts';
import { downloadDeadLetters } from './download.ts';
import { deadLetterCauses, getDeadLetter, listDeadLetters } from './read.ts';

/** `/v1/dead_letters`: what died, why, and giving it up. Redriving is an operation on many: see the room `bulk`. */
export const deadLetterRoutes = (app: App, { db, storage }: { db: Db; storage: Storage }): void => {
  app.get(
    '/v1/dead_letters',
    {
      schema: {
        summary: 'List dead letters, newest batch first, or count them by cause',
        operationId: 'listDeadLetters',
        querystring: ListDeadLetters,
        response: { 200: Type.Union([DeadLetterPage, Type.Ref('DeadLetterCauses')]) },
      },
    },
    async (request) => {
      const { group, after, limit, ...query } = request.query;
      if (group === 'cause') {
        if (after !== undefined)
          throw new ApiError('invalid_value', 'Causes come on one page; raise `limit`, or filter.', { param: 'after' });
        const causes = await deadLetterCauses(db, request.identity, query, limit ?? 100);
        return { object: 'list' as const, data: causes.data, has_more: causes.more };
      }
      const { data, more } = await listDeadLetters(db, storage, request.identity, query, { after, limit: limit ?? 20 });
      return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: more };
    },
  );

  app.get(
    '/v1/dead_letters/download',
    {
      schema: {
        summary: 'Dead letters with what was sent, one JSON object a line',
        description: 'By the same filters as the list. `request` is the line of the input; null once the input file is gone.',
        operationId: 'downloadDeadLetters',
        querystring: DeadLetterQuery,
        produces: ['application/x-ndjson'],
      },
    },
    (request, reply) => {
      reply.type('application/x-ndjson').header('content-disposition', 'attachment; filename="dead_letters.jsonl"');
      return reply.send(Readable.from(downloadDeadLetters(db, storage, request.identity, request.query), { objectMode: false }));
    },
  );

  app.get(
    '/v1/dead_letters/:id',
    {
      schema: {
        summary: 'Get a dead letter, with its input and every attempt',
        operationId: 'getDeadLetter',
        params: Type.Object({ id: Type.String() }),
        response: { 200: DeadLetterDetails },
      },
    },
    (request): Promise<DeadLetterDetails> => getDeadLetter(db, storage, request.identity, request.params.id),
  );

  app.post(
    '/v1/dead_letters/discard',
    {
      schema: {
        summary: 'Give dead letters up, with a reason',
        description: 'They are marked, and left out of lists that do not ask for them; batches and their files stay as they are.',
        operationId: 'discardDeadLetters',
        body: DiscardDeadLetters,
        response: { 200: DiscardedDeadLetters },
      },
    },
    async (request): Promise<DiscardedDeadLetters> => ({
      object: 'dead_letters.discarded',
      ...(await discardDeadLetters(db, request.identity, request.body)),
    }),
  );
};
