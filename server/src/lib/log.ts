import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Fields that never reach a log, whatever object they hang on. */
const secrets = [
  'authorization',
  'api_key',
  'apiKey',
  'password',
  'secret',
  'databaseUrl',
  'headers.authorization',
  'req.headers.authorization',
  '*.api_key',
  '*.apiKey',
  '*.password',
  '*.databaseUrl',
];

/** One JSON line an event to stderr; on a terminal, or with `pretty`, lines a person can read. */
export const createLogger = ({
  level = 'info',
  pretty = process.stderr.isTTY,
  base = {},
}: { level?: string; pretty?: boolean; base?: Record<string, unknown> } = {}): Logger => {
  const options = { level, base, redact: { paths: secrets, censor: '[redacted]' }, timestamp: pino.stdTimeFunctions.isoTime };
  return pretty
    ? pino({
        ...options,
        transport: {
          target: 'pino-pretty',
          options: {
            destination: 2,
            ignore: 'pid,hostname,role',
            translateTime: 'HH:MM:ss.l',
            messageFormat: '{if role}{role} · {end}{msg}',
            singleLine: true,
          },
        },
      })
    : pino(options, pino.destination({ dest: 2, sync: true }));
};

export const silent: Logger = pino({ level: 'silent' });
