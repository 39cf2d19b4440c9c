import { createHmac, timingSafeEqual } from 'node:crypto';
import { Type } from 'typebox';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';

export interface CallbackDeps {
  db: Db;
  /** The secret that reports of this model are signed with; null: it takes none. */
  secretOf: (model: string) => Buffer | null;
}

/** Seconds that a report may be old, or ahead of our clock. */
const tolerance = 300;
const mostBytes = 20_000;

/** Whether one of the signatures is `v1` of Standard Webhooks over id, time and body. */
export const isSigned = (
  secret: Buffer,
  { id, timestamp, signature }: { id: string; timestamp: string; signature: string },
  body: Buffer,
): boolean => {
  const wanted = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest();
  return signature.split(' ').some((each) => {
    const [version, text] = each.split(',');
    const given = Buffer.from(text ?? '', 'base64');
    return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
};

const refused = (message: string): ApiError => new ApiError('permission_denied', message);

/**
 * Where servers report that a call has ended. What they say is not believed: the report only makes the worker ask at
 * once. It is taken once; the same report again, which senders repeat until they hear of it, changes nothing.
 */
export const callbackRoutes = (app: App, { db, secretOf }: CallbackDeps): void => {
  app.register(async (inner) => {
    const scope = inner as unknown as App;
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, done) => done(null, body));
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, done) => done(null, body));
    scope.post(
      '/v1/callbacks/:token',
      {
        config: { open: true },
        bodyLimit: mostBytes,
        schema: {
          summary: 'Report that a call has ended',
          description:
            'For servers that models with `executor: http` call: signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`, `webhook-signature`) with the secret of the model. Taken once.',
          operationId: 'reportCall',
          params: Type.Object({ token: Type.String({ maxLength: 100 }) }),
          response: { 200: Type.Object({ object: Type.Literal('callback'), accepted: Type.Boolean() }) },
        },
      },
      async (request) => {
        const header = (name: string): string => [request.headers[name] ?? ''].flat()[0]!;
        const signed = { id: header('webhook-id'), timestamp: header('webhook-timestamp'), signature: header('webhook-signature') };
        const row = await db.maybe<{ model: string; told_by: string | null }>(
          sql`select model, told_by from remote_calls where token = ${request.params.token}`,
        );
        const secret = row && secretOf(row.model);
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        // One answer for all of it: what is there is nobody's business who cannot sign.
        if (row === null || secret === null || !/^[\w-]{1,200}$/.test(signed.id) || !isSigned(secret, signed, body))
          throw refused('The report is not signed by whoever serves this call.');
        const age = Math.abs(Date.now() / 1_000 - Number(signed.timestamp));
        if (!(age <= tolerance)) throw refused(`The report is more than ${tolerance} seconds old, or of the future.`);
        const taken = await db.run(sql`
          update remote_calls set told_at = now(), told_by = ${signed.id} where token = ${request.params.token} and told_at is null`);
        if (taken === 0 && row.told_by !== null && row.told_by !== signed.id)
          throw new ApiError('conflict', 'The end of this call was reported before.');
        return { object: 'callback' as const, accepted: taken === 1 };
      },
    );
  });
};
