import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { ArchivedFile, Screen, ScreenSummary } from '@sluice/contract';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { printFields, printJson, printTable, say, when, type Columns } from '../output.ts';
import { bodyOf } from '../settings.ts';

const show = ({ terminal, fields }: Context, screen: Screen): void => {
  if (fields) return printJson(terminal, screen, fields);
  const { completed, failed, total } = screen.request_counts;
  printFields(terminal, {
    id: screen.id,
    status: screen.status,
    name: screen.name,
    model: screen.model,
    residues: screen.proteins.map(({ residues }) => residues).join(' + '),
    ligands: screen.ligands,
    'known invalid': screen.invalid,
    done: `${completed + failed} of ${total}, ${failed} failed`,
    created: when(screen.created_at),
    ended: when(screen.ended_at),
    results: screen.results.status,
    error: screen.results.error,
  });
};

const read = async (path: string): Promise<string> => (path === '-' ? text(process.stdin) : readFile(path, 'utf8'));

/** A sequence from a file: plain letters, or one FASTA record. */
export const sequenceIn = (content: string, path: string): string => {
  const records = content.split(/^>.*$/m).map((record) => record.replaceAll(/\s+/g, ''));
  const sequences = records.filter((record) => record !== '');
  if (sequences.length !== 1)
    throw new Exit(exitCodes.error, `${path} holds ${sequences.length} sequences.`, 'Give one protein: its letters, or one FASTA record.');
  return sequences[0]!;
};

export interface CreateOptions {
  protein: string;
  ligands: string;
  msa?: string;
  model?: string;
  parameters?: string;
  maxConcurrent?: number;
  invalid?: string;
  window?: string;
  priority?: string;
  name?: string;
  metadata?: string[];
}

/** Creates a screen of a protein's file and a file of ligands. */
export const create = async (context: Context, options: CreateOptions): Promise<void> => {
  const { protein, ligands, msa, model, parameters, maxConcurrent, invalid, ...settings } = options;
  const sequence = sequenceIn(await read(protein), protein);
  let params: unknown;
  try {
    params = parameters === undefined ? undefined : JSON.parse(parameters);
  } catch {
    throw new Exit(exitCodes.error, '--parameters: no JSON.', `Write --parameters '{"sampling_steps": 100}'.`);
  }
  const screen = await context.client.call('POST', '/v1/screens', {
    raw: JSON.stringify({
      ...bodyOf(settings),
      ...(model !== undefined && { model }),
      protein: msa === undefined ? sequence : { sequence, msa: await read(msa) },
      ligands: await read(ligands),
      ...(params !== undefined && { parameters: params }),
      ...(maxConcurrent !== undefined && { max_concurrent: maxConcurrent }),
      ...(invalid !== undefined && { invalid }),
    }),
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
  });
  show(context, (await screen.json()) as Screen);
};

export const get = async (context: Context, id: string): Promise<void> =>
  show(context, await context.client.get<Screen>(`/v1/screens/${id}`));

const columns: Columns<ScreenSummary['top_by_pic50'][number]> = {
  rank: ({ rank }) => rank,
  id: ({ id }) => id,
  name: ({ name }) => name,
  probability: ({ affinity_probability_binary: odds }) => odds?.toFixed(3) ?? null,
  pIC50: ({ pic50 }) => pic50?.toFixed(2) ?? null,
  'ligand ipTM': ({ ligand_iptm: score }) => score?.toFixed(3) ?? null,
};

/** The best of an ended screen, by both figures, and what went wrong. */
export const results = async (context: Context, id: string, { top }: { top: number }): Promise<void> => {
  const { client, terminal, fields } = context;
  const { summary, results: state, status } = await client.get<Screen>(`/v1/screens/${id}`);
  if (summary === null)
    throw new Exit(
      exitCodes.error,
      `${id} is ${status}; its results are ${state.status}.`,
      state.error ?? 'They are there soon after it has ended.',
    );
  if (fields) return printJson(terminal, summary, fields);
  const counts = Object.entries(summary.by_status).map(([each, count]) => `${count} ${each}`);
  terminal.out.write(`${summary.ligands} ligands: ${counts.join(', ')}\n\nBest by probability that they bind\n`);
  printTable(terminal, summary.top_by_probability.slice(0, top), columns);
  terminal.out.write('\nBest by pIC50, for those that bind\n');
  printTable(terminal, summary.top_by_pic50.slice(0, top), columns);
  for (const { code, count, example } of summary.failures) terminal.out.write(`\n${count} × ${code}, such as ${example}\n`);
};

/** All files of an ended screen, under their paths; out of the archive, so that it works when the batch is gone. */
export const download = async (
  { client, terminal, quiet }: Pick<Context, 'client' | 'terminal' | 'quiet'>,
  id: string,
  { out }: { out: string },
): Promise<void> => {
  const { data } = await client.get<{ data: ArchivedFile[] }>(`/v1/archive/${id}`);
  const root = resolve(out);
  for (const { path } of data) {
    const to = resolve(root, path);
    if (!to.startsWith(root + sep)) throw new Exit(exitCodes.error, `The server names a path outside of ${out}: ${path}`);
    await mkdir(dirname(to), { recursive: true });
    const reply = await client.call('GET', `/v1/archive/${id}/content`, { query: { path } });
    const part = join(dirname(to), `.${process.pid}.part${extname(to)}`);
    await pipeline(Readable.fromWeb(reply.body as never), createWriteStream(part));
    await rename(part, to);
  }
  if (!quiet) say(terminal, `${data.length} files in ${out}`);
};
