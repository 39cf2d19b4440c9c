import { expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice } from '../support/sluice.ts';
import { checkAll, keepHistory } from './history.ts';
import { startModelServer, type Call } from './model-server.ts';

/** What an upstream may do to a call, by the remainder of the request's number. */
const troubles: Record<string, (reply: Call['reply']) => void> = {
  hangs: () => {},
  trickles: (reply) => {
    reply.writeHead(200).write('{"id":');
    const timer = setInterval(() => reply.write(' '), 20);
    reply.on('close', () => clearInterval(timer));
  },
  refuses: (reply) => reply.writeHead(429, { 'retry-after': '1' }).end('{"error":{"message":"slow down"}}'),
  fails: (reply) => reply.writeHead(500).end('{"error":{"message":"oh no"}}'),
  babbles: (reply) => reply.writeHead(200).end('{"id": oops'),
  breaks: (reply) => {
    reply.writeHead(200, { 'content-length': '1000' }).write('{"id":');
    reply.destroy();
  },
};
const kinds = Object.keys(troubles);

test('an upstream that hangs, trickles, refuses, fails, babbles and breaks off: each request is tried again, once, and none too soon', async () => {
  await using model = await startModelServer();
  await using sluice = await startSluice({
    models: [
      {
        name: 'llm',
        version: '1.0.0',
        executor: 'openai',
        options: { base_url: model.url, first_byte_timeout_ms: 3_000, total_timeout_ms: 4_000, max_concurrency: 32, breaker_failures: 0 },
      },
    ],
  });
  await keepHistory(sluice.db);
  const times = new Map<string, number[]>();
  // Every second request has trouble the first time, of the kinds in turn.
  const kindOf = (customId: string): string | null => {
    const n = Number(customId.slice(1));
    return n % 2 === 0 ? null : kinds[((n - 1) / 2) % kinds.length]!;
  };
  model.on = ({ customId, number, answer, reply }) => {
    times.set(customId, [...(times.get(customId) ?? []), performance.now()]);
    const kind = number === 1 ? kindOf(customId) : null;
    if (kind === null) void answer();
    else troubles[kind]!(reply);
  };
  const customIds = Array.from({ length: 120 }, (_, i) => `r${i}`);
  const { id } = await createBatch(
    sluice.client,
    customIds.map((customId) => chatLine(customId, { model: 'llm' })),
  );
  expect(await untilEnded(sluice.client, id)).toMatchObject({
    status: 'completed',
    request_counts: { total: 120, completed: 120, failed: 0 },
  });
  expect(await checkAll(sluice.db, sluice.storage, [{ id, customIds }])).toEqual([]);
  // No storm: one more call for each that went wrong.
  for (const customId of customIds) expect([customId, model.calls.get(customId)]).toEqual([customId, kindOf(customId) === null ? 1 : 2]);
  const waits = customIds
    .filter((customId) => kindOf(customId) === 'refuses')
    .map((customId) => {
      const [first, second] = times.get(customId)!;
      return second! - first!;
    });
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(990);
  const codes = await sluice.db.many<{ line: number; code: string; kind: string }>(
    sql`select line, code, kind from attempts order by line, number`,
  );
  const codeOf: Record<string, string> = { hangs: 'request_timeout', trickles: 'request_timeout', refuses: 'rate_limited' };
  expect(codes).toEqual(
    customIds.flatMap((customId, i) => {
      const kind = kindOf(customId);
      return kind === null ? [] : [{ line: i + 1, code: codeOf[kind] ?? 'upstream_error', kind: 'retryable' }];
    }),
  );
});
