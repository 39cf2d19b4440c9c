import type { JsonObject } from '../executor.ts';

/** Parts a text is said in, at most: long ones come in larger parts. */
const most = 256;

/** A text in parts that join to it, each of whole words. */
const partsOf = (text: string): string[] => {
  const words = text.match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? [];
  const each = Math.ceil(words.length / most);
  return Array.from({ length: Math.ceil(words.length / Math.max(1, each)) }, (_, i) => words.slice(i * each, (i + 1) * each).join(''));
};

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

interface Chat {
  id: string;
  created: number;
  model: string;
  choices: { index: number; message: { content: string } }[];
  usage: object;
}

/** Whether each chunk has a `usage`, null in all but one more at the end. */
const usageWanted = (body: JsonObject): boolean => {
  const options = body['stream_options'];
  return typeof options === 'object' && options !== null && !Array.isArray(options) && options['include_usage'] === true;
};

function* chat(reply: Chat, body: JsonObject): Generator<string> {
  const { id, created, model, choices, usage } = reply;
  const counted = usageWanted(body);
  const chunk = (choice: object[], used: object | null = null): string =>
    event({ id, object: 'chat.completion.chunk', created, model, choices: choice, ...(counted ? { usage: used } : {}) });
  const of = (index: number, delta: object, finish_reason: string | null = null) => [{ index, delta, logprobs: null, finish_reason }];
  for (const { index, message } of choices) {
    yield chunk(of(index, { role: 'assistant', content: '', refusal: null }));
    for (const content of partsOf(message.content)) yield chunk(of(index, { content }));
    yield chunk(of(index, {}, 'stop'));
  }
  if (counted) yield chunk([], usage);
  yield 'data: [DONE]\n\n';
}

interface Completion extends Omit<Chat, 'choices'> {
  choices: { index: number; text: string }[];
}

function* completion(reply: Completion, body: JsonObject): Generator<string> {
  const { id, created, model, choices, usage } = reply;
  const counted = usageWanted(body);
  const chunk = (choice: object[], used: object | null = null): string =>
    event({ id, object: 'text_completion', created, model, choices: choice, ...(counted ? { usage: used } : {}) });
  for (const { index, text } of choices) {
    for (const part of partsOf(text)) yield chunk([{ index, text: part, logprobs: null, finish_reason: null }]);
    yield chunk([{ index, text: '', logprobs: null, finish_reason: 'stop' }]);
  }
  if (counted) yield chunk([], usage);
  yield 'data: [DONE]\n\n';
}

interface Response {
  output: { id: string; content: { text: string }[] }[];
}

function* response(reply: Response): Generator<string> {
  const item = reply.output[0]!;
  const part = item.content[0]!;
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  const begun = { ...reply, status: 'in_progress', output: [], usage: null };
  let sequence_number = 0;
  const say = (type: string, fields: object): string => `event: ${type}\n${event({ type, sequence_number: sequence_number++, ...fields })}`;
  yield say('response.created', { response: begun });
  yield say('response.in_progress', { response: begun });
  yield say('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } });
  yield say('response.content_part.added', { ...at, part: { ...part, text: '' } });
  for (const delta of partsOf(part.text)) yield say('response.output_text.delta', { ...at, delta, logprobs: [] });
  yield say('response.output_text.done', { ...at, text: part.text, logprobs: [] });
  yield say('response.content_part.done', { ...at, part });
  yield say('response.output_item.done', { output_index: 0, item });
  yield say('response.completed', { response: reply });
}

/** The reply of an endpoint as OpenAI streams it; null where the endpoint does not stream. */
export const streamed = (url: string, reply: string, body: JsonObject): Generator<string> | null => {
  switch (url) {
    case '/v1/chat/completions':
      return chat(JSON.parse(reply) as Chat, body);
    case '/v1/completions':
      return completion(JSON.parse(reply) as Completion, body);
    case '/v1/responses':
      return response(JSON.parse(reply) as Response);
    default:
      return null;
  }
};
