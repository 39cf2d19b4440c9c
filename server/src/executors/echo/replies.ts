import type { Json, JsonObject, Task, Usage } from '../executor.ts';
import type { ModelSpec } from '../../models/models.ts';
import { base64Of, jsonOf, vectorOf } from './vector.ts';

export interface Reply {
  /** JSON text on one line, an object. */
  body: string;
  usage?: Usage;
}

type Answer = (task: Task, model: ModelSpec, id: string) => Reply;

const quote = (value: Json | undefined): string => JSON.stringify(value ?? null);
const seconds = () => Math.floor(Date.now() / 1000);

/** Four characters a token: near enough for English, and the same at every attempt. */
const tokens = (characters: number): number => Math.ceil(characters / 4);

const usageOf = (input: number, output: number): Usage => ({
  input_tokens: input,
  cached_tokens: 0,
  output_tokens: output,
  reasoning_tokens: 0,
});

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The text of a message's content: a string, or the text parts of a list. */
const textOf = (content: Json | undefined): string => {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
};

/** What the last user said, and how many characters were said in all. */
const heard = (messages: Json | undefined): { last: string; characters: number } => {
  if (!Array.isArray(messages)) {
    const last = textOf(messages);
    return { last, characters: last.length };
  }
  let last = '';
  let characters = 0;
  for (const message of messages) {
    if (!isObject(message)) continue;
    const text = textOf(message['content']);
    characters += text.length;
    if (message['role'] === 'user') last = text;
  }
  return { last, characters };
};

/** `prompt` and `input` may be one text, a list of texts, one list of tokens or a list of them. */
const inputs = (input: Json | undefined): { text: string; tokens: number }[] => {
  const one = (value: Json | undefined) => {
    if (typeof value === 'string') return { text: value, tokens: tokens(value.length) };
    return { text: quote(value), tokens: Array.isArray(value) ? value.length : tokens(quote(value).length) };
  };
  return Array.isArray(input) && typeof input[0] !== 'number' ? input.map(one) : [one(input)];
};

const chat: Answer = ({ body }, model, id) => {
  const { last, characters } = heard(body['messages']);
  const [input, output] = [tokens(characters), tokens(last.length)];
  return {
    body: `{"id":"chatcmpl-${id}","object":"chat.completion","created":${seconds()},"model":${quote(model.name)},"choices":[{"index":0,"message":{"role":"assistant","content":${quote(last)},"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output},"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`,
    usage: usageOf(input, output),
  };
};

const completion: Answer = ({ body }, model, id) => {
  const prompts = inputs(body['prompt']);
  const input = prompts.reduce((sum, prompt) => sum + prompt.tokens, 0);
  const choices = prompts.map(({ text }, index) => `{"index":${index},"text":${quote(text)},"logprobs":null,"finish_reason":"stop"}`);
  return {
    body: `{"id":"cmpl-${id}","object":"text_completion","created":${seconds()},"model":${quote(model.name)},"choices":[${choices.join()}],"usage":{"prompt_tokens":${input},"completion_tokens":${input},"total_tokens":${2 * input}}}`,
    usage: usageOf(input, input),
  };
};

const embeddings: Answer = ({ body }, model) => {
  const texts = inputs(body['input']);
  const input = texts.reduce((sum, text) => sum + text.tokens, 0);
  const dimensions = typeof body['dimensions'] === 'number' ? body['dimensions'] : 8;
  const data = texts.map(({ text }, index) => {
    const vector = vectorOf(text, dimensions);
    const shown = body['encoding_format'] === 'base64' ? `"${base64Of(vector)}"` : jsonOf(vector);
    return `{"object":"embedding","index":${index},"embedding":${shown}}`;
  });
  return {
    body: `{"object":"list","data":[${data.join()}],"model":${quote(model.name)},"usage":{"prompt_tokens":${input},"total_tokens":${input}}}`,
    usage: usageOf(input, 0),
  };
};

const response: Answer = ({ body }, model, id) => {
  const { last, characters } = heard(body['input']);
  const [input, output] = [tokens(characters), tokens(last.length)];
  return {
    body: `{"id":"resp_${id}","object":"response","created_at":${seconds()},"status":"completed","background":false,"error":null,"incomplete_details":null,"instructions":${quote(body['instructions'])},"max_output_tokens":null,"model":${quote(model.name)},"output":[{"id":"msg_${id}","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":${quote(last)},"annotations":[],"logprobs":[]}]}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":1,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":{"input_tokens":${input},"input_tokens_details":{"cached_tokens":0},"output_tokens":${output},"output_tokens_details":{"reasoning_tokens":0},"total_tokens":${input + output}},"user":null,"metadata":${isObject(body['metadata']) ? quote(body['metadata']) : '{}'}}`,
    usage: usageOf(input, output),
  };
};

const categories = [
  'sexual',
  'sexual/minors',
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'violence',
  'violence/graphic',
];
const all = (value: Json) => JSON.stringify(Object.fromEntries(categories.map((name) => [name, value])));
const unflagged = `{"flagged":false,"categories":${all(false)},"category_scores":${all(0)},"category_applied_input_types":${all(['text'])}}`;

const moderation: Answer = ({ body }, model, id) => {
  // A list of parts (text and images) is one input; a list of texts is one each.
  const count = Array.isArray(body['input']) && typeof body['input'][0] === 'string' ? body['input'].length : 1;
  return { body: `{"id":"modr-${id}","model":${quote(model.name)},"results":[${Array(count).fill(unflagged).join()}]}` };
};

const prediction: Answer = ({ body }, model, id) => ({
  body: `{"id":"pred_${id}","object":"prediction","model":${quote(model.name)},"version":${quote(model.version)},"outputs":${quote(body['inputs'])}}`,
});

/** One transparent pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

const image: Answer = ({ body }) => {
  const input = tokens(textOf(body['prompt']).length);
  const count = typeof body['n'] === 'number' && body['n'] >= 1 && body['n'] <= 10 ? Math.floor(body['n']) : 1;
  return {
    body: `{"created":${seconds()},"data":[${Array(count).fill(`{"b64_json":"${pixel}"}`).join()}],"output_format":"png","usage":{"input_tokens":${input},"input_tokens_details":{"image_tokens":0,"text_tokens":${input}},"output_tokens":${count},"total_tokens":${input + count}}}`,
    usage: usageOf(input, count),
  };
};

const video: Answer = ({ body }, model, id) => {
  const now = seconds();
  return {
    body: `{"id":"video_${id}","object":"video","model":${quote(model.name)},"status":"completed","progress":100,"created_at":${now},"completed_at":${now},"expires_at":null,"prompt":${quote(textOf(body['prompt']))},"size":"720x1280","seconds":"4","remixed_from_video_id":null,"error":null}`,
  };
};

const answers: Record<string, Answer> = {
  '/v1/chat/completions': chat,
  '/v1/completions': completion,
  '/v1/embeddings': embeddings,
  '/v1/responses': response,
  '/v1/moderations': moderation,
  '/v1/predict': prediction,
  '/v1/images/generations': image,
  '/v1/images/edits': image,
  '/v1/videos': video,
};

/** The reply of the task's endpoint; of an endpoint unknown here, what was sent. */
export const replyTo: Answer = (task, model, id) =>
  answers[task.url]?.(task, model, id) ?? {
    body: `{"id":"echo_${id}","object":"echo","model":${quote(model.name)},"body":${quote(task.body)}}`,
  };
