import type { Model } from '@sluice/contract';
import { type Client, Refused, Unreachable } from '@sluice/contract/client';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { paint, printJson, type Terminal } from '../output.ts';

export interface Check {
  name: string;
  ok: boolean;
  /** What was found. */
  found: string;
  /** What to do about it; null where nothing is wrong. */
  todo: string | null;
}

const good = (name: string, found: string): Check => ({ name, ok: true, found, todo: null });
const bad = (name: string, found: string, todo: string): Check => ({ name, ok: false, found, todo });

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const ready = async (client: Client): Promise<Check> => {
  try {
    const reply = await client.call('GET', '/health/ready', { repeat: false });
    await reply.body?.cancel();
    return good('server', `${client.url} is ready`);
  } catch (error) {
    if (error instanceof Unreachable) return bad('server', error.message, 'Start it with `npm start`, or set SLUICE_URL.');
    if (error instanceof Refused && error.status === 503)
      return bad('server', `not ready: ${error.message}`, "See the server's log for the part it names.");
    return bad('server', words(error), 'Check that SLUICE_URL is the address of a Sluice server.');
  }
};

/** Seconds of difference above which deadlines seen here mean something else than on the server. */
const maxSkew = 30;

const keyAndModels = async (client: Client): Promise<Check[]> => {
  try {
    const reply = await client.call('GET', '/v1/models', { repeat: false });
    const { data } = (await reply.json()) as { data: Model[] };
    const skew = Math.abs(Date.parse(reply.headers.get('date') ?? '') - Date.now()) / 1000;
    return [
      good('key', 'accepted'),
      data.length > 1
        ? good('models', data.map(({ id }) => id).join(', '))
        : bad('models', 'only echo, which answers with what it is sent', 'Declare models in sluice.yaml; examples/sluice.yaml shows how.'),
      skew <= maxSkew || Number.isNaN(skew)
        ? good('clock', 'agrees with the server')
        : bad('clock', `differs by ${Math.round(skew)} s from the server's`, 'Set the clock of this machine or of the server.'),
    ];
  } catch (error) {
    if (error instanceof Refused && (error.status === 401 || error.status === 403))
      return [
        bad('key', error.message, "Set SLUICE_API_KEY to a key of this server; a local one keeps its own in the data directory's api-key."),
      ];
    return error instanceof Unreachable ? [] : [bad('key', words(error), 'Check that SLUICE_URL is the address of a Sluice server.')];
  }
};

const show = (terminal: Terminal, { name, ok, found, todo }: Check): void => {
  terminal.out.write(`${ok ? paint(terminal, 32, 'ok   ') : paint(terminal, 31, 'wrong')}  ${name}: ${found}\n`);
  if (todo !== null) terminal.out.write(`       ${todo}\n`);
};

/** Looks for what is wrong: with this installation where `local` says so, then with the server as seen from here. */
export const doctor = async ({ client, terminal, fields }: Context, local: () => Promise<Check[]>): Promise<void> => {
  const checks = [...(await local()), await ready(client), ...(await keyAndModels(client))];
  if (fields) printJson(terminal, checks, fields);
  else for (const check of checks) show(terminal, check);
  const wrong = checks.filter(({ ok }) => !ok);
  if (wrong.length > 0) throw new Exit(wrong.every(({ name }) => name === 'key') ? exitCodes.auth : exitCodes.error);
};
