import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';

/** The HTTP server as rooms see it when they add their routes: schemas are TypeBox, and give the types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests that go well are not logged: a line costs more than such a request. */
    quiet?: boolean;
  }
  interface FastifyContextConfig {
    /** Under /v1, and yet needs no key. */
    open?: boolean;
  }
  interface FastifyContextConfig {
    /** Numbers of the body that a double would round are kept as their text: they go on to a model. */
    exactNumbers?: boolean;
  }
  interface FastifyRequest {
    quiet: boolean;
  }
  interface FastifyInstance {
    /** Aborts when the server starts to close: streams that have no end of their own end then. */
    closing: AbortSignal;
  }
}
