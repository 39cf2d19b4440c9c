import type { ResultsPending } from '@sluice/contract';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { identifier } from './quoted.ts';
import type { Question } from './select.ts';

export const anyId = Type.Object({ id: Type.String() });

/** Seconds that a reply waits for a table that is being made, where nobody says. */
export const patience = 10;

/** Answers that the table is being made. */
export const pending = (reply: FastifyReply, state: 'queued' | 'building'): ResultsPending => {
  const seconds = 2;
  reply.code(202).header('retry-after', String(seconds));
  return { object: 'batch.results', state, retry_after: seconds };
};

/** A name that no column has. */
const whole = identifier('\u0001');

/** Rows as texts of JSON, written by DuckDB: numbers have digits that JavaScript would lose. */
export const rowText = ({ sql, values }: Question): Question => ({
  sql: `select cast(to_json(${whole}) as varchar) as row from (${sql}) ${whole}`,
  values,
});

/** Sends an object with `data` of texts that are JSON already. */
export const sendJson = (reply: FastifyReply, head: object, data: readonly string[]): never =>
  reply
    .type('application/json')
    .serializer((body: string) => body)
    .send(`${JSON.stringify(head).slice(0, -1)},"data":[${data.join(',')}]}`) as never;
