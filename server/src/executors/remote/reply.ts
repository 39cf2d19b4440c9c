import { errors } from '@sluice/contract';
import type { Json, JsonObject } from '../executor.ts';

/** Line breaks of valid JSON stand between its tokens only, so that a pretty-printed reply needs no rewriting. */
export const oneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').trim();

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object that a text is, or null. */
export const objectOf = (text: string): JsonObject | null => {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

/** What an error's body says, for a person. */
export const wordsOf = (reply: JsonObject | null, text: string): string => {
  const error = reply?.['error'] ?? reply;
  const message = isObject(error) ? (error['message'] ?? error['detail'] ?? error['error']) : error;
  return oneLine(typeof message === 'string' ? message : text).slice(0, 500);
};

/** Bytes of an error's body that are kept as they came. */
const most = 65_536;

/** The body of a failed reply as one line of JSON: as it came where it is that, else its words in OpenAI's envelope. */
export const errorBodyOf = (reply: JsonObject | null, text: string): string => {
  if (reply && text.length <= most) return oneLine(text);
  const code = 'upstream_error';
  return JSON.stringify({ error: { message: wordsOf(reply, text), type: errors[code].type, param: null, code } });
};

const day = 86_400_000;

/**
 * How long the upstream asked us to wait: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date.
 *
 * @returns milliseconds, at most a day; undefined where it did not say
 */
export const retryAfterOf = (headers: Record<string, string | string[] | undefined>, now = Date.now()): number | undefined => {
  const text = (name: string) => [headers[name] ?? ''].flat()[0]!.trim();
  const bounded = (ms: number) => (Number.isFinite(ms) ? Math.round(Math.min(day, Math.max(0, ms))) : undefined);
  const milliseconds = text('retry-after-ms');
  if (/^\d+(\.\d+)?$/.test(milliseconds)) return bounded(Number(milliseconds));
  const after = text('retry-after');
  if (/^\d+(\.\d+)?$/.test(after)) return bounded(1000 * Number(after));
  return after === '' ? undefined : bounded(Date.parse(after) - now);
};
