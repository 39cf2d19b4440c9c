import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { ApiError } from '../lib/errors.ts';

/**
 * Reads one multipart form as it comes, with one file in it. Fields may stand before or after the file, the body may
 * be chunked, and nothing but a field is ever held in memory. The promise settles once, when the form has ended or is
 * known to be wrong; whatever was made of the file's bytes is then either in the result or was handed to `discard`.
 */
export interface Form<T> {
  /** The field that is the file, whatever content type and file name it has. */
  file: string;
  /** Called for each field; throws where the field is unknown or wrong, so that no more is read. */
  onField: (name: string, value: string) => void;
  /** Reads all of the bytes. `signal` aborts when the rest of the form turns out wrong. */
  onFile: (bytes: BusboyFileStream, filename: string, signal: AbortSignal) => Promise<T>;
  /** Undoes `onFile`. */
  discard: (made: T) => Promise<void>;
}

/** Bytes of a refused body that are read and thrown away, so that a client that only reads its answer after it has sent everything gets one; and the time for it. */
const lingerBytes = 256 * 1024 * 1024;
const lingerMs = 5_000;

const notMultipart = (request: IncomingMessage): ApiError =>
  new ApiError(
    'invalid_request',
    `Invalid Content-Type header (${request.headers['content-type'] ?? 'none'}), expected multipart/form-data with a boundary.`,
  );

const malformed = (reason: string): ApiError =>
  new ApiError('invalid_request', `We could not read the multipart body of your request: ${reason}.`);

const parserOf = (request: IncomingMessage, file: string): BusboyInstance => {
  const type = request.headers['content-type'];
  if (type === undefined || !/^multipart\/form-data\s*;/i.test(type)) throw notMultipart(request);
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': type },
      fileHwm: 256 * 1024,
      isPartAFile: (name) => name === file,
      limits: { fieldSize: 64 * 1024, fields: 100, headerPairs: 100 },
    });
  } catch {
    throw notMultipart(request);
  }
};

/** Throws away what is left of the body, within bounds. */
const drain = (request: IncomingMessage): Promise<void> => {
  if (request.complete || request.destroyed) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) resolve();
  };
  const timer = setTimeout(resolve, lingerMs);
  request.on('data', count).once('close', resolve).once('end', resolve).once('error', resolve).resume();
  return promise.finally(() => {
    clearTimeout(timer);
    request.off('data', count).off('close', resolve).off('end', resolve).pause();
  });
};

export const receive = async <T>(request: IncomingMessage, form: Form<T>): Promise<{ made: T; filename: string }> => {
  const parser = parserOf(request, form.file);
  if (request.destroyed && !request.complete) throw malformed('it was cut off');
  const controller = new AbortController();
  const ended = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    ended.reject(error);
    controller.abort(error);
  };
  const got: { stream: BusboyFileStream; filename: string; making: Promise<T> }[] = [];

  parser.on('file', (_name, bytes, name) => {
    // Its errors must not end the process. They reach `making`, unless that gave up first and destroyed the stream itself.
    let broken: Error | null = null;
    bytes.on('error', (error) => (broken = error));
    if (got.length > 0) {
      // A stream that nobody reads would hold up the rest.
      bytes.resume();
      fail(new ApiError('invalid_request', `Only one '${form.file}' can be sent in one request.`, { param: form.file }));
      return;
    }
    const filename = name ?? '';
    const making = form.onFile(bytes, filename, controller.signal);
    making.catch((error: unknown) => fail(error === broken && broken !== null ? malformed(broken.message) : error));
    got.push({ stream: bytes, filename, making });
  });
  parser.on('field', (name, value, _nameCut, valueCut) => {
    try {
      if (valueCut) throw new ApiError('invalid_value', `Invalid '${name}': the value is too long.`, { param: name });
      form.onField(name ?? '', value);
    } catch (error) {
      fail(error);
    }
  });
  parser.on('fieldsLimit', () => fail(malformed('it has too many fields')));
  parser.on('error', (error) => fail(malformed(error instanceof Error ? error.message : 'it is damaged')));
  parser.on('finish', () => ended.resolve());
  request.once('error', () => fail(malformed('it was cut off')));
  request.once('close', () => {
    if (!request.complete) fail(malformed('it was cut off'));
  });

  try {
    request.pipe(parser);
    await ended.promise;
    const file = got[0];
    if (!file) throw new ApiError('missing_required_parameter', `Missing required parameter: '${form.file}'.`, { param: form.file });
    const made = await file.making;
    if (controller.signal.aborted) throw controller.signal.reason;
    return { made, filename: file.filename };
  } catch (error) {
    request.unpipe(parser);
    controller.abort(error);
    for (const { stream, making } of got) {
      stream.destroy();
      await making.then(form.discard).catch(() => {});
    }
    await drain(request);
    throw error;
  }
};
