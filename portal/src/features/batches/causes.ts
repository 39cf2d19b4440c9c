import type { RequestSummary } from './queries.ts';

export interface Cause {
  code: string;
  /** The message without what differs from one request to the next. */
  text: string;
  count: number;
  first: number | null;
  last: number | null;
  example: RequestSummary;
  lines: number[];
}

/** Numbers, ids and quoted texts differ from one failure to the next; what is left is their cause. */
export const causeOf = (message: string): string =>
  message
    .replaceAll(/"[^"]{0,200}"|'[^']{0,200}'/g, '“…”')
    .replaceAll(/\b[0-9a-f]{8,}\b/gi, '…')
    .replaceAll(/\d+(\.\d+)?/g, 'N')
    .slice(0, 200);

/** Failures by code and cause, the most frequent first. */
export const causesIn = (requests: readonly RequestSummary[]): Cause[] => {
  const found = new Map<string, Cause>();
  for (const request of requests) {
    const code = request.error?.code ?? request.state;
    const text = causeOf(request.error?.message ?? '');
    const key = `${code}\n${text}`;
    const cause = found.get(key) ?? { code, text, count: 0, first: null, last: null, example: request, lines: [] };
    cause.count++;
    cause.lines.push(request.line);
    const at = request.finished_at;
    if (at !== null) {
      cause.first = cause.first === null ? at : Math.min(cause.first, at);
      cause.last = cause.last === null ? at : Math.max(cause.last, at);
    }
    found.set(key, cause);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
};
