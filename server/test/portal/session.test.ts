import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSessions } from '../../src/auth/sessions.ts';
import { sql } from '../../src/db/sql.ts';
import { chatLine, createBatch, upload } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const keys = [
  { key: 'ada-key', tenant: 'lab', user: 'ada', role: 'admin' as const },
  { key: 'eve-key', tenant: 'other', user: 'eve' },
];

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ keys });
});
afterAll(() => sluice[Symbol.asyncDispose]());

type Json = Record<string, unknown>;

const ask = async (
  method: string,
  path: string,
  { cookie, csrf, body, headers = {} }: { cookie?: string; csrf?: string; body?: unknown; headers?: Record<string, string> } = {},
) => {
  const reply = await fetch(sluice.url + path, {
    method,
    headers: {
      ...(cookie !== undefined && { cookie }),
      ...(csrf !== undefined && { 'x-csrf-token': csrf }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const given = reply.headers.getSetCookie()[0];
  return { status: reply.status, body: (await reply.json()) as Json, given, headers: reply.headers };
};

const codeOf = ({ status, body }: { status: number; body: Json }) => [status, (body['error'] as Json)['code']];

const signIn = async (key = 'ada-key', headers: Record<string, string> = {}) => {
  const reply = await ask('POST', '/v1/portal/session', { body: { api_key: key }, headers });
  expect(reply.status).toBe(200);
  return { cookie: reply.given!.split(';')[0]!, csrf: String(reply.body['csrf_token']), attributes: reply.given! };
};

describe('a browser', () => {
  test('signs in with a key, is somebody, and signs out', async () => {
    const { cookie, csrf, attributes } = await signIn();
    expect(attributes).toMatch(/; HttpOnly/);
    expect(attributes).toMatch(/; SameSite=Strict/);
    expect(attributes).not.toMatch(/Secure/);
    const me = await ask('GET', '/v1/portal/session', { cookie });
    expect([me.status, me.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(me.body).toMatchObject({ tenant: 'lab', user: 'ada', role: 'admin', csrf_token: csrf, config: { live_max_hz: 2 } });
    expect(JSON.stringify(me.body)).not.toContain('ada-key');

    const out = await ask('DELETE', '/v1/portal/session', { cookie, csrf });
    expect([out.status, out.body['deleted']]).toEqual([200, true]);
    expect(out.given).toMatch(/sluice_session=; Max-Age=0/);
    const after = await ask('GET', '/v1/portal/session', { cookie });
    expect(codeOf(after)).toEqual([401, 'session_ended']);
    expect(after.given).toMatch(/Max-Age=0/);
  });

  test('has its cookie kept from plain http where it came by https', async () => {
    expect((await signIn('ada-key', { origin: 'https://sluice.lab' })).attributes).toMatch(/; Secure/);
    expect((await signIn('ada-key', { 'x-forwarded-proto': 'https' })).attributes).toMatch(/; Secure/);
  });

  test('may do what its key may, and is of its tenant', async () => {
    const { cookie, csrf } = await signIn();
    const { id } = await createBatch(sluice.clientFor('ada-key'), [chatLine(1)]);
    const list = await ask('GET', '/v1/batches', { cookie });
    expect((list.body['data'] as Json[]).map((each) => each['id'])).toContain(id);
    const named = await ask('PATCH', `/v1/batches/${id}`, { cookie, csrf, body: { name: 'mine' } });
    expect([named.status, named.body['name']]).toEqual([200, 'mine']);
    const eve = await signIn('eve-key');
    expect((await ask('GET', `/v1/batches/${id}`, { cookie: eve.cookie })).status).toBe(404);
  });

  test('changes nothing without the token that only the page knows', async () => {
    const { cookie, csrf } = await signIn();
    const { id } = await createBatch(sluice.clientFor('ada-key'), [chatLine(1)]);
    const other = await signIn();
    for (const wrong of [undefined, '', 'x', other.csrf])
      for (const [method, path, body] of [
        ['POST', `/v1/batches/${id}/cancel`, {}],
        ['PATCH', `/v1/batches/${id}`, { name: 'theirs' }],
        ['DELETE', `/v1/batches/${id}`],
        ['DELETE', '/v1/portal/session'],
      ] as const) {
        const reply = await ask(method, path, { cookie, body, ...(wrong !== undefined && { csrf: wrong }) });
        expect([method, path, ...codeOf(reply)]).toEqual([method, path, 403, 'invalid_csrf_token']);
      }
    expect((await ask('GET', `/v1/batches/${id}`, { cookie })).body).toMatchObject({ name: null });
    // A key needs none: no page of another site has it sent.
    const keyed = await ask('PATCH', `/v1/batches/${id}`, { cookie, body: { name: 'x' }, headers: { authorization: 'Bearer ada-key' } });
    expect(keyed.status).toBe(200);
    expect((await ask('PATCH', `/v1/batches/${id}`, { cookie, csrf, body: { name: 'y' } })).status).toBe(200);
  });

  test('uploads and streams with its cookie', async () => {
    const { cookie, csrf } = await signIn();
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob([`${JSON.stringify(chatLine(1))}\n`]), 'x.jsonl');
    const file = await fetch(`${sluice.url}/v1/files`, { method: 'POST', headers: { cookie, 'x-csrf-token': csrf }, body: form });
    expect(file.status).toBe(200);
    const { id } = await createBatch(sluice.clientFor('ada-key'), [chatLine(1)]);
    const events = await fetch(`${sluice.url}/v1/batches/${id}/events`, { headers: { cookie, accept: 'text/event-stream' } });
    expect(events.headers.get('content-type')).toBe('text/event-stream');
    expect(await events.text()).toContain('event: batch.completed');
  });
});

describe('a session ends', () => {
  test('with its key, and when it is not used', async () => {
    const { cookie } = await signIn('eve-key');
    const secret = cookie.split('=')[1]!;
    const without = openSessions({ db: sluice.db, keys: keys.slice(0, 1), idleSeconds: 3_600 });
    await expect(without.find(secret)).rejects.toMatchObject({ code: 'session_ended', status: 401 });
    const changed = openSessions({ db: sluice.db, keys: [{ key: 'eve-new', tenant: 'other', user: 'eve' }], idleSeconds: 3_600 });
    await expect(changed.find(secret)).rejects.toMatchObject({ code: 'session_ended' });
    const promoted = openSessions({ db: sluice.db, keys: [{ ...keys[1]!, role: 'admin' }], idleSeconds: 3_600 });
    expect((await promoted.find(secret)).identity).toEqual({ tenant: 'other', user: 'eve', role: 'admin' });

    const age = (column: 'seen_at' | 'ends_at', seconds: number) =>
      column === 'seen_at'
        ? sluice.db.run(sql`update sessions set seen_at = now() - make_interval(secs => ${seconds}) where user_id = 'eve'`)
        : sluice.db.run(sql`update sessions set ends_at = now() - make_interval(secs => ${seconds}) where user_id = 'eve'`);
    await age('seen_at', 3_500);
    expect((await ask('GET', '/v1/portal/session', { cookie })).status).toBe(200);
    // It slid: what was nearly over has an hour again.
    const { body } = await ask('GET', '/v1/portal/session', { cookie });
    expect(Number(body['expires_at']) - Number(body['now'])).toBeGreaterThan(3_000);
    await age('seen_at', 3_601);
    expect(codeOf(await ask('GET', '/v1/batches', { cookie }))).toEqual([401, 'session_ended']);
    await age('seen_at', 0);
    expect((await ask('GET', '/v1/batches', { cookie })).status).toBe(200);
    await age('ends_at', 1);
    expect(codeOf(await ask('GET', '/v1/batches', { cookie }))).toEqual([401, 'session_ended']);
    await signIn();
    expect(await sluice.db.many(sql`select from sessions where user_id = 'eve'`)).toEqual([]);
  });

  test('when another signs in in the same browser', async () => {
    const { cookie } = await signIn();
    expect((await ask('POST', '/v1/portal/session', { body: { api_key: 'eve-key' }, headers: { cookie } })).body).toMatchObject({
      user: 'eve',
    });
    expect((await ask('GET', '/v1/portal/session', { cookie })).status).toBe(401);
  });
});

test('the table tells nobody how to be one of them', async () => {
  const { cookie, csrf } = await signIn();
  const rows = JSON.stringify(await sluice.db.many(sql`select *, encode(id, 'hex'), encode(key_mark, 'hex') as mark from sessions`));
  for (const secret of [cookie.split('=')[1]!, csrf, 'ada-key', Buffer.from(cookie.split('=')[1]!).toString('hex')])
    expect(rows).not.toContain(secret);
});

test('a made-up cookie is nobody, and none asks for a key', async () => {
  for (const cookie of ['sluice_session=x', `sluice_session=${'A'.repeat(43)}`, `sluice_session=${'A'.repeat(4_000)}`])
    expect(codeOf(await ask('GET', '/v1/batches', { cookie }))).toEqual([401, 'session_ended']);
  expect(codeOf(await ask('GET', '/v1/batches', { cookie: 'other=1' }))).toEqual([401, 'invalid_api_key']);
  expect(codeOf(await ask('DELETE', '/v1/portal/session', { headers: { authorization: 'Bearer ada-key' } }))).toEqual([
    401,
    'session_ended',
  ]);
});

test('a key may ask who it is as well', async () => {
  const { body } = await ask('GET', '/v1/portal/session', { headers: { authorization: 'Bearer eve-key' } });
  expect(body).toMatchObject({ user: 'eve', role: 'user', csrf_token: null, expires_at: null });
});

test('what is not a key is refused, and who goes on is slowed down', async () => {
  expect(codeOf(await ask('POST', '/v1/portal/session', { body: {} }))).toEqual([400, 'missing_required_parameter']);
  const form = await ask('POST', '/v1/portal/session', { headers: { 'content-type': 'text/plain' } });
  expect(form.status).toBe(415);
  await upload(sluice.clientFor('ada-key'), [chatLine(1)]);
  for (let i = 0; i < 10; i++) {
    const wrong = await ask('POST', '/v1/portal/session', { body: { api_key: `guess-${i}` } });
    expect([...codeOf(wrong), wrong.given]).toEqual([401, 'invalid_api_key', undefined]);
  }
  const slowed = await ask('POST', '/v1/portal/session', { body: { api_key: 'ada-key' } });
  expect([...codeOf(slowed), slowed.headers.get('retry-after')]).toEqual([429, 'rate_limited', '6']);
});
