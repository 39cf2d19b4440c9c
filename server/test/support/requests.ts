import type OpenAI from 'openai';
import { toFile } from 'openai';

type Line = Record<string, unknown>;

/** A chat line for `echo`, with whatever else is asked of it. */
export const chatLine = (
  id: string | number,
  { model = 'echo', echo = undefined as Line | undefined, ...rest }: Line & { echo?: Line | undefined } = {},
): Line => ({
  custom_id: String(id),
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model, messages: [{ role: 'user', content: `say ${id}` }], ...(echo && { sluice_echo: echo }) },
  ...rest,
});

export const jsonl = (lines: readonly (Line | string)[]): Buffer =>
  Buffer.from(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));

export const upload = async (client: OpenAI, content: Buffer | readonly (Line | string)[], purpose: 'batch' | 'user_data' = 'batch') =>
  client.files.create({
    file: await toFile(Buffer.isBuffer(content) ? content : jsonl(content), 'requests.jsonl'),
    purpose,
  });

export const createBatch = async (
  client: OpenAI,
  content: Buffer | readonly (Line | string)[],
  options: Line = {},
): Promise<OpenAI.Batch> => {
  const file = await upload(client, content);
  return client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    ...options,
  });
};

const ended = new Set(['failed', 'completed', 'expired', 'cancelled']);

/** Follows the batch's events until it has ended. */
export const untilEnded = async (client: OpenAI, id: string): Promise<OpenAI.Batch & Line> => {
  const reply = await fetch(`${client.baseURL}/batches/${id}/events`, { headers: { authorization: `Bearer ${client.apiKey}` } });
  // The stream ends with the batch.
  await reply.text();
  const batch = await client.batches.retrieve(id);
  if (!ended.has(batch.status)) throw new Error(`the events of ${id} ended while it is ${batch.status}`);
  return batch as OpenAI.Batch & Line;
};

/** The lines of a file, parsed. */
export const linesIn = async (client: OpenAI, id: string | null | undefined): Promise<Line[]> => {
  if (!id) return [];
  const text = await (await client.files.content(id)).text();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
};

/** A call outside OpenAI's API. */
export const call = async (
  client: OpenAI,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Line; headers: Headers }> => {
  const reply = await fetch(client.baseURL.replace(/\/v1$/, '') + path, {
    method,
    headers: { authorization: `Bearer ${client.apiKey}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return { status: reply.status, body: text.startsWith('{') ? (JSON.parse(text) as Line) : { text }, headers: reply.headers };
};
