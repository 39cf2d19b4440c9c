import type { Session } from './sessions.ts';

/** What a key may do: an `admin` also what is the operator's, such as registering models that other servers answer for. */
export type KeyRole = 'admin' | 'user';

/** Who is asking: every statement on the API's side is scoped by `tenant`. */
export interface Identity {
  tenant: string;
  user: string;
  /** Absent: `user`. */
  role?: KeyRole;
}

export interface ApiKey extends Identity {
  key: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any route under /v1 runs. */
    identity: Identity;
    /** The session it came with; null: it came with a key. */
    session: Session | null;
  }
}
