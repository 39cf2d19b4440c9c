import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './openapi.d.ts';
import { session } from './session.ts';

type Schemas = components['schemas'];
/** A thing of the API by its name: `Api<'Batch'>`. */
export type Api<Name extends keyof Schemas> = Schemas[Name];

/** The server said no, or could not be reached. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  readonly requestId: string | null;

  constructor(message: string, about: { status: number; code?: string | null; param?: string | null; requestId?: string | null }) {
    super(message);
    this.name = 'Failure';
    this.status = about.status;
    this.code = about.code ?? null;
    this.param = about.param ?? null;
    this.requestId = about.requestId ?? null;
  }
}

export const failureOf = async (reply: Response): Promise<Failure> => {
  const about = { status: reply.status, requestId: reply.headers.get('x-request-id') };
  try {
    const { error } = (await reply.json()) as { error: { message: string; code: string | null; param: string | null } };
    return new Failure(error.message, { ...about, code: error.code, param: error.param });
  } catch {
    return new Failure(`The server answered ${reply.status} ${reply.statusText}.`, about);
  }
};

/** Headers that whatever changes something must carry: the cookie alone could be sent by another site's page. */
export const changing = (method: string): Record<string, string> => {
  const csrf = session.current()?.csrf_token ?? null;
  return csrf !== null && method !== 'GET' && method !== 'HEAD' ? { 'x-csrf-token': csrf } : {};
};

/** `fetch` as the portal uses it: with the session, and a failure thrown. */
export const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const method = init.method ?? 'GET';
  let reply: Response;
  try {
    reply = await fetch(path, { ...init, headers: { ...changing(method), ...(init.headers as Record<string, string>) } });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Failure('The server cannot be reached.', { status: 0, code: 'unreachable' });
  }
  if (reply.status === 401) session.lost();
  if (!reply.ok) throw await failureOf(reply);
  return reply;
};

const guard: Middleware = {
  onRequest: ({ request }) => {
    for (const [name, value] of Object.entries(changing(request.method))) request.headers.set(name, value);
    return request;
  },
  onResponse: async ({ response }) => {
    if (response.status === 401) session.lost();
    if (!response.ok) throw await failureOf(response);
  },
  onError: ({ error }) =>
    error instanceof TypeError ? new Failure('The server cannot be reached.', { status: 0, code: 'unreachable' }) : undefined,
};

/** Every route of the API, typed by its OpenAPI document. What it returns has `data`; what goes wrong is thrown as a `Failure`. */
export const api = createClient<paths>({ baseUrl: '/' });
api.use(guard);

/** The body of a reply, which is there where nothing was thrown. */
export const bodyOf = async <T>(reply: Promise<{ data?: T }>): Promise<NonNullable<T>> => {
  const { data } = await reply;
  if (data === undefined || data === null) throw new Failure('The server answered without a body.', { status: 204 });
  return data;
};
