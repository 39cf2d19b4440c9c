import { randomUUID } from 'node:crypto';
import type { Batch } from '@sluice/contract';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { collect, judge, summary, untilEnd } from '../follow.ts';
import { isUrl, prepare } from '../input.ts';
import { bytes, printJson } from '../output.ts';
import { Progress } from '../progress.ts';
import { bodyOf, type Settings } from '../settings.ts';
import { fileOrStdin } from '../spool.ts';
import { upload } from '../upload.ts';

export interface RunOptions extends Settings {
  model?: string;
  out: string;
  failOnError?: boolean;
  timeout?: number;
}

/** What a batch says of an input that the server fetches. */
export const fromUrl = (url: string, { model, endpoint, models, route }: Settings & { model?: string }): Record<string, unknown> => ({
  source: { url },
  ...(model !== undefined && { model }),
  ...([model, endpoint, models, route].every((each) => each === undefined) && { endpoint: '/v1/predict' }),
});

/**
 * From a file of requests to a file of results: upload, create, watch, download. Ctrl-C while it uploads ends the
 * program; after that it only stops watching, however often it is pressed.
 */
export const run = async (context: Context, input: string, options: RunOptions): Promise<void> => {
  const { client, terminal, fields, quiet } = context;
  const progress = new Progress(terminal, quiet);
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort());

  const where = isUrl(input)
    ? fromUrl(input, options)
    : await fileOrStdin(input, async (path) => {
        const prepared = await prepare(path, { ...options, ...(input === '-' ? { name: 'stdin.jsonl' } : {}) });
        if (prepared.named) progress.say('The lines are bodies alone; their custom_ids are line-1, line-2 and so on.');
        const onProgress = (sent: number) =>
          progress.show(`uploading ${prepared.name} ${bytes(sent)} of ${bytes(prepared.bytes)}`, Date.now());
        try {
          const file = await upload(client, prepared, { purpose: 'batch', onProgress, signal: stop.signal });
          return { endpoint: prepared.endpoint, input_file_id: file.id, ...(prepared.table && options.model && { model: options.model }) };
        } catch (error) {
          throw stop.signal.aborted ? new Exit(exitCodes.interrupted, 'Stopped while uploading; no batch was made.') : error;
        } finally {
          progress.end();
        }
      });
  const body = { ...where, ...bodyOf({ window: '24h', ...options }) };
  const created = await client.post<Batch>('/v1/batches', body, { headers: { 'idempotency-key': randomUUID() } });
  progress.say(`${created.id} created`);

  const again = `The batch goes on. Come back: sluice batch watch ${created.id} --out ${options.out}`;
  let batch: Batch;
  try {
    batch = await untilEnd(client, created.id, terminal, { timeout: options.timeout, quiet, signal: stop.signal });
  } catch (error) {
    throw error instanceof Exit ? new Exit(error.code, error.message, again) : error;
  }
  progress.say(summary(batch));
  if (batch.status !== 'failed') for (const sentence of await collect(client, batch, options.out, terminal)) progress.say(sentence);
  if (fields && options.out !== '-') printJson(terminal, batch, fields);
  judge(batch, options.failOnError ?? false);
};
