import { CommanderError } from 'commander';
import { Refused, Unreachable } from '@sluice/contract/client';
import { Exit, exitCodes, type ExitCode } from './exit.ts';
import { paint, say, terminal } from './output.ts';

const nextOf = (error: Refused): string | null => {
  if (error.status === 401) return 'Set SLUICE_API_KEY to a key of this server, or keep one: sluice auth login.';
  if (error.status === 404) return 'Check the id, and that the key belongs to the tenant that owns it.';
  return error.status >= 500 ? 'See what is wrong: sluice doctor' : null;
};

/** Says on stderr what happened, why, and what to do next; returns the exit code. */
export const report = (error: unknown, out = terminal()): ExitCode => {
  // Commander has printed its own words, help included.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.error;
  const tell = (message: string, next: string | null, id: string | null = null) => {
    if (message) say(out, `${paint(out, 31, 'error:')} ${message}`);
    if (next) say(out, next);
    if (id) say(out, paint(out, 2, `request id: ${id}`));
  };
  if (error instanceof Exit) {
    const calm = error.code === exitCodes.interrupted || error.code === exitCodes.timeout;
    if (calm) say(out, [error.message, error.next].filter(Boolean).join('\n'));
    else tell(error.message, error.next);
    return error.code;
  }
  if (error instanceof Refused) {
    tell(error.message, nextOf(error), error.requestId);
    return error.status === 401 || error.status === 403 ? exitCodes.auth : exitCodes.error;
  }
  if (error instanceof Unreachable) tell(error.message, 'Is the server running? Start one with `npm start`, or set SLUICE_URL.');
  else tell(error instanceof Error ? error.message : String(error), null);
  return exitCodes.error;
};
