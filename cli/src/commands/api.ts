import { readFileSync } from 'node:fs';
import { Refused } from '@sluice/contract/client';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';

export interface ApiOptions {
  method?: string;
  data?: string;
  header?: string[];
  include?: boolean;
}

const dataOf = (data: string): unknown => {
  const text = data.startsWith('@') ? readFileSync(data === '@-' ? 0 : data.slice(1), 'utf8') : data;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Exit(exitCodes.error, `--data is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Any route, with the key; the body as it comes. */
export const api = async (
  { client, terminal }: Context,
  path: string,
  { method, data, header = [], include }: ApiOptions,
): Promise<void> => {
  const body = data === undefined ? undefined : dataOf(data);
  const headers = Object.fromEntries(
    header.map((line) => {
      const [name = '', ...value] = line.split(':');
      return [name.trim().toLowerCase(), value.join(':').trim()];
    }),
  );
  // `batches` means /v1/batches; a path that begins with `/` is meant as it is.
  const full = path.startsWith('/') ? path : `/v1/${path}`;
  const reply = await client
    .call(method?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST'), full, { headers, body })
    .catch((error: unknown) => {
      if (error instanceof Refused)
        terminal.out.write(`${JSON.stringify({ error: { message: error.message, code: error.code, param: error.param } })}\n`);
      throw error;
    });
  if (include) {
    terminal.out.write(`${reply.status} ${reply.statusText}\n`);
    for (const [name, value] of reply.headers) terminal.out.write(`${name}: ${value}\n`);
    terminal.out.write('\n');
  }
  const json = reply.headers.get('content-type')?.startsWith('application/json');
  if (json && terminal.out.isTTY) terminal.out.write(`${JSON.stringify(await reply.json(), null, 2)}\n`);
  else {
    for await (const chunk of reply.body ?? []) terminal.out.write(chunk);
    if (json) terminal.out.write('\n');
  }
};
