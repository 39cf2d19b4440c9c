import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, Model } from '@sluice/contract';
import { makeBatches } from '../../../examples/make-batches.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { judge, summary, untilEnd } from '../follow.ts';
import { prepare } from '../input.ts';
import { count, printJson, say } from '../output.ts';
import { upload } from '../upload.ts';

/** Submits the example batches, all at once, and follows them. They stay on the server: that is what they are for. */
export const demo = async (
  { client, terminal, fields, quiet }: Context,
  { limit, follow }: { limit?: number; follow: boolean },
): Promise<void> => {
  const { data } = await client.get<{ data: Model[] }>('/v1/models');
  const served = new Set(data.map(({ name }) => name));
  const folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  let batches: Batch[] = [];
  try {
    const inputs = makeBatches(folder).filter(({ model }) => served.has(model));
    if (inputs.length === 0)
      throw new Exit(
        exitCodes.error,
        'The server has none of the models of the examples.',
        'Start it with them: SLUICE_CONFIG=examples/sluice.yaml npm start',
      );
    for (const { model, path } of inputs) {
      if (limit !== undefined) await writeFile(path, `${(await readFile(path, 'utf8')).split('\n', limit).join('\n')}\n`);
      const source = await prepare(path, {});
      const file = await upload(client, source, { purpose: 'batch' });
      const body = { input_file_id: file.id, endpoint: source.endpoint, completion_window: '24h', name: `demo ${model}` };
      const batch = await client.post<Batch>('/v1/batches', body);
      batches.push(batch);
      if (!quiet) say(terminal, `${batch.id} created: ${model}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (follow) {
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    const ended: Batch[] = [];
    for (const { id } of batches) {
      const batch = await untilEnd(client, id, terminal, { quiet, signal: stop.signal });
      if (!quiet) say(terminal, summary(batch));
      ended.push(batch);
    }
    batches = ended;
  }
  if (fields) printJson(terminal, batches, fields);
  else if (!quiet) say(terminal, `${count(batches.length)} batches. Results: sluice batch download ID --out FILE`);
  if (follow) for (const batch of batches) judge(batch, false);
};
