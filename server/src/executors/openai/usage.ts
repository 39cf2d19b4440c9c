import type { Json, JsonObject, Usage } from '../executor.ts';
import { isObject, objectOf } from '../remote/reply.ts';

const count = (value: Json | undefined): number => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0);

/** What the reply says it used: chat and completions, embeddings (`prompt_tokens`), responses (`input_tokens`). */
export const usageOf = (reply: JsonObject): Usage | undefined => {
  const usage = reply['usage'];
  if (!isObject(usage)) return undefined;
  const details = (name: string): JsonObject => (isObject(usage[name]) ? usage[name] : {});
  return {
    input_tokens: count(usage['input_tokens'] ?? usage['prompt_tokens']),
    cached_tokens: count(
      (usage['input_tokens_details'] ? details('input_tokens_details') : details('prompt_tokens_details'))['cached_tokens'],
    ),
    output_tokens: count(usage['output_tokens'] ?? usage['completion_tokens']),
    reasoning_tokens: count(
      (usage['output_tokens_details'] ? details('output_tokens_details') : details('completion_tokens_details'))['reasoning_tokens'],
    ),
  };
};

/** Bytes at the end of a reply in which its usage stands: after the choices, and in the last event of a stream. */
const tailBytes = 65_536;

/** Keeps the end of what passes through, and finds there what it says was used; nothing is parsed on the way. */
export class Tail {
  #parts: Buffer[] = [];
  #size = 0;

  push(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
    while (this.#size - this.#parts[0]!.length >= tailBytes) this.#size -= this.#parts.shift()!.length;
  }

  usage(): Usage | undefined {
    const text = Buffer.concat(this.#parts).toString('latin1');
    // Within a string its quotes would be escaped; a chunk before the last may say `"usage": null`.
    for (let at = text.lastIndexOf('"usage"'); at >= 0; at = at === 0 ? -1 : text.lastIndexOf('"usage"', at - 1)) {
      const begins = /^"usage"\s*:\s*\{/.exec(text.slice(at, at + 100));
      const found = begins && objectAt(text, at + begins[0].length - 1);
      if (found) return usageOf({ usage: found });
    }
    return undefined;
  }
}

/** The object that begins at `from` and holds no strings with braces, as a usage does not. */
const objectAt = (text: string, from: number): JsonObject | null => {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return objectOf(text.slice(from, at + 1));
  }
  return null;
};
