/** Who is asking: every statement on the API's side is scoped by `tenant`. */
export interface Identity {
  tenant: string;
  user: string;
}

export interface ApiKey extends Identity {
  key: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any route under /v1 runs. */
    identity: Identity;
  }
}
