import type { FastifyBaseLogger } from 'fastify';

const methods = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent', 'child'] as const;

/** Holds what a request's logger is made from, and the logger once it was asked for. */
interface Lazy {
  make: () => FastifyBaseLogger;
  made?: FastifyBaseLogger;
}

const loggerOf = (lazy: Lazy): FastifyBaseLogger => (lazy.made ??= lazy.make());

const shared = Object.create(null, {
  level: {
    get(this: Lazy) {
      return loggerOf(this).level;
    },
  },
}) as object;
for (const name of methods)
  Object.defineProperty(shared, name, {
    value(this: Lazy, ...args: Parameters<FastifyBaseLogger[typeof name]>) {
      return Reflect.apply(loggerOf(this)[name], loggerOf(this), args);
    },
  });

/**
 * A request's logger, made when the request first says something: most never do, and making one costs as much as
 * finding their route.
 */
export const lazyLogger = (make: () => FastifyBaseLogger): FastifyBaseLogger => Object.assign(Object.create(shared), { make });
