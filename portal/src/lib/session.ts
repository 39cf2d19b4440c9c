/** Who is signed in. The key never stays in the page: the browser holds an HttpOnly cookie, and this what goes with it. */
export interface Session {
  tenant: string;
  user: string;
  role: 'admin' | 'user';
  /** Sent back with whatever changes something. */
  csrf_token: string | null;
  /** The place among the tenant's events when this was asked: a stream begins behind it. */
  event: string;
  server: { name: string; version: string };
  config: { grafana_url: string | null; live_max_hz: number; pools: { name: string; preemptible: boolean }[] };
  limits: { max_lines: number; max_file_bytes: number; max_line_bytes: number; max_model_bytes: number; openai: boolean };
}

type Listener = () => void;

const path = '/v1/portal/session';
let now: Session | null = null;
const listeners = new Set<Listener>();

const become = (next: Session | null): void => {
  now = next;
  for (const listener of listeners) listener();
};

const read = async (reply: Response): Promise<Session> => (await reply.json()) as Session;

export const session = {
  current: (): Session | null => now,
  subscribe: (listener: Listener): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Looks whether the cookie still holds. */
  resume: async (): Promise<Session | null> => {
    const reply = await fetch(path, { headers: { accept: 'application/json' } });
    become(reply.ok ? await read(reply) : null);
    return now;
  },
  /** Returns what is wrong with the key, or null. */
  signIn: async (key: string): Promise<string | null> => {
    const reply = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: key }),
    });
    if (!reply.ok) {
      const { error } = (await reply.json().catch(() => ({ error: {} }))) as { error: { message?: string } };
      return error.message ?? `The server answered ${reply.status}.`;
    }
    become(await read(reply));
    return null;
  },
  signOut: async (): Promise<void> => {
    await fetch(path, { method: 'DELETE', headers: { 'x-csrf-token': now?.csrf_token ?? '' } });
    become(null);
  },
  /** The server no longer takes the cookie. */
  lost: (): void => {
    if (now !== null) become(null);
  },
};
