import { readFile } from 'node:fs/promises';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { JsonObject, Task } from '../executor.ts';

/** What a process that answers many requests reads and writes, a line each, in its working directory. */
export const requestsName = 'requests.jsonl';
export const resultsName = 'results.jsonl';

/** `{"custom_id": …, "line": …, "body": …}` a line; the number is what files may be named after, whatever the other holds. */
export const requestLines = (group: readonly Task[]): string =>
  group.map(({ customId, line, body }) => `${JSON.stringify({ custom_id: customId, line, body })}\n`).join('');

const Result = Type.Union([
  Type.Object({ custom_id: Type.String(), outputs: Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true })) }),
  Type.Object({
    custom_id: Type.String(),
    error: Type.Object({ code: Type.Optional(Type.String()), message: Type.String(), retryable: Type.Optional(Type.Boolean()) }),
  }),
]);
const result = Compile(Result);

/** A request's result, as the program wrote it. */
export type GroupResult = { outputs: JsonObject } | { error: { code: string; message: string; retryable: boolean } };

/** By custom_id; a line that is none of ours, such as the last of a process that was killed, counts as not written. */
export const readResults = async (file: string): Promise<Map<string, GroupResult>> => {
  const results = new Map<string, GroupResult>();
  const text = await readFile(file, 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const found = parse(line);
    if (found === null) continue;
    if ('outputs' in found) results.set(found.custom_id, { outputs: found.outputs });
    else {
      const { code = 'executor_error', message, retryable = false } = found.error;
      results.set(found.custom_id, { error: { code, message, retryable } });
    }
  }
  return results;
};

const parse = (line: string): Static<typeof Result> | null => {
  try {
    const value: unknown = JSON.parse(line);
    return result.Check(value) ? value : null;
  } catch {
    return null;
  }
};
