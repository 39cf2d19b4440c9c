import type { ErrorObject } from 'ajv';
import { isUnreachable } from '../db/db.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import { NotFound, StorageFull, TooLarge } from '../storage/storage.ts';
import { describeInvalid } from './validation.ts';

interface Invalid {
  validation: ErrorObject[];
  validationContext: 'body' | 'querystring' | 'params' | 'headers';
}

const isInvalid = (error: object): error is Invalid => 'validation' in error && Array.isArray(error.validation);

const codeOf = (error: object): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

const statusOf = (error: object): number => ('statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500);

const unparseable =
  'We could not parse the JSON body of your request: what was sent is not valid JSON. Check that the body is one JSON object and that nothing cut it short.';

const ofFramework = (error: Error, code: string): ApiError | null => {
  const status = statusOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ApiError('payload_too_large', 'The body of the request is too large. Send files through /v1/files or /v1/uploads.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new ApiError('invalid_request', 'Unsupported content type. Send `Content-Type: application/json`.', { status: 415 });
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || (error instanceof SyntaxError && status === 400))
    return new ApiError('invalid_request', unparseable, { bare: true });
  // What else Fastify refuses (a URL that does not decode, a content length that lies) is the client's to mend.
  return code.startsWith('FST_') && status < 500 ? new ApiError('invalid_request', error.message, { status }) : null;
};

const ofDatabase = (error: Error, code: string): ApiError | null => {
  // 53100 disk_full
  if (code === '53100' || code === 'ENOSPC')
    return new ApiError('storage_full', 'The server has no room left to keep this.', { cause: error });
  // 22021, 22P05: PostgreSQL keeps no NUL in text, whichever way it was written.
  if (code === '22021' || code === '22P05') return new ApiError('invalid_value', 'A text of the request holds a NUL character.');
  // 57014 query_canceled: the statement ran into its time-out.
  if (code === '57014' || isUnreachable(error))
    return new ApiError('unavailable', 'The database cannot be reached just now. Try again in a moment.', {
      cause: error,
      headers: { 'retry-after': '2' },
    });
  return null;
};

/** What a client is told about anything that was thrown; what is not foreseen says no more than `server_error`. */
export const toApiError = (error: unknown): ApiError => {
  if (error instanceof ApiError) return error;
  if (error instanceof StorageFull)
    return new ApiError('storage_full', 'The storage has no room left; nothing was kept.', { cause: error });
  if (error instanceof NotFound) return new ApiError('not_found', 'The content is no longer there.', { cause: error });
  if (error instanceof TooLarge)
    return new ApiError('payload_too_large', `This is larger than the ${error.limit} bytes this server accepts.`, { cause: error });
  if (error instanceof Error) {
    if (isInvalid(error)) return describeInvalid(error.validation, error.validationContext);
    const known = ofFramework(error, codeOf(error)) ?? ofDatabase(error, codeOf(error));
    if (known) return known;
  }
  return new ApiError('server_error', 'The server had an error while processing your request. It was logged with the request id.', {
    cause: error instanceof Error ? error : new Error(messageOf(error)),
  });
};
