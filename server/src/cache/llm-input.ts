/**
 * What a language model is asked, as text: two requests have the same text exactly when the same is sent upstream, but for
 * the order of the body's own fields and for fields that do not change the answer.
 *
 * Numbers are as they are sent: 1.0 and 1e0 go out as 1, and -0 as 0, so they are one; 2^53 and 2^53 + 1 are two, for
 * `parseExactly` keeps what a double would round. What lies deeper stays in the order in which it was written: chat templates
 * print tools, schemas and arguments as they come, so that another order is another prompt.
 */
export type LlmBody = Readonly<Record<string, unknown>>;

/** Replaced or taken out before the call: the model by its own digest's name, streaming always. */
const unsent = new Set(['model', 'stream', 'stream_options']);

/** Who asks, how soon and how it is billed. Responses show them in their answer, so there they count. */
const unanswered = new Set([
  'user',
  'safety_identifier',
  'metadata',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'priority',
]);
const stateless = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/moderations']);

/** Null where a request is more than a question: it is to be stored upstream, or goes on with a conversation kept there. */
export const llmInput = (url: string, body: LlmBody): string | null => {
  if (body['store'] === true || body['background'] === true || (body['conversation'] ?? null) !== null) return null;
  const skipped = stateless.has(url) ? unanswered : null;
  let text = url;
  for (const name of Object.keys(body).sort()) {
    const value = body[name];
    if (unsent.has(name) || skipped?.has(name) || value === undefined) continue;
    text += `\n${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return text;
};

/** Fields that hold what is asked in words. */
const worded = ['messages', 'prompt', 'input'];

/**
 * The words of a request and all the rest of it, for finding similar ones: only the words may differ. Null where it has
 * none, or more than text.
 */
export const llmWords = (url: string, body: LlmBody): { words: string; rest: string } | null => {
  const name = worded.find((each) => body[each] !== undefined);
  if (name === undefined) return null;
  const words = wordsOf(body[name]);
  const { [name]: _, ...others } = body;
  const rest = llmInput(url, others);
  return words === null || words === '' || rest === null ? null : { words, rest: `${rest}\n${name}` };
};

interface Message {
  role?: unknown;
  content?: unknown;
}

const wordsOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  const lines: string[] = [];
  for (const item of value as (Message | string | null)[]) {
    if (typeof item !== 'object' || item === null || typeof item.content !== 'string' || 'tool_calls' in item) return null;
    lines.push(`${String(item.role)}: ${item.content}`);
  }
  return lines.join('\n');
};
