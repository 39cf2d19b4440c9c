import { Client } from '@sluice/contract/client';
import { apiKey } from '../connect.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { paint, printJson, say } from '../output.ts';
import { answerChecks } from '../verify/answers.ts';
import { runChecks, siteOf, type Finding } from '../verify/check.ts';
import { partChecks } from '../verify/parts.ts';
import { cleanUp, workChecks } from '../verify/work.ts';

const colors = { ok: 32, warn: 33, fail: 31 } as const;

/** Looks at a deployment from outside, as a client would; leaves nothing behind. Throws `Exit` where a check fails. */
export const verify = async ({ client: { url }, terminal, fields, quiet }: Context, { timeout }: { timeout: number }): Promise<void> => {
  const key = apiKey(url);
  // No second tries: a call that works every other time is what this is to find.
  const client = new Client({ url, key, fetch: (input, init) => fetch(input, { ...init, redirect: 'error' }), retries: 0 });
  const site = siteOf(client, key, timeout * 1000);
  const checks = [...answerChecks, ...partChecks, ...workChecks()];
  const show = ({ name, status, ms, detail, hint }: Finding): void => {
    if (terminal.out.isTTY)
      terminal.out.write(
        `${paint(terminal, colors[status], status.padEnd(4))}  ${name.padEnd(22)}  ${String(ms).padStart(6)} ms  ${detail}\n`,
      );
    else terminal.out.write(`${[status, name, ms, detail, hint ?? ''].join('\t').replaceAll(/[\r\n]+/g, ' ')}\n`);
    if (hint !== null && terminal.out.isTTY) terminal.out.write(`      ${hint}\n`);
  };
  // Ctrl-C lets the check under way end: what it made is known then, and removed.
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const findings = await runChecks(site, checks, stop.signal, fields ? () => {} : show);
  const left = await cleanUp(site);
  if (fields) printJson(terminal, findings, fields);
  if (left.length > 0) say(terminal, `These could not be removed: ${left.join(', ')}`);
  const counts = { ok: 0, warn: 0, fail: 0 };
  for (const { status } of findings) counts[status]++;
  if (!quiet) say(terminal, `${counts.ok} ok, ${counts.warn} to look at, ${counts.fail} wrong`);
  if (stop.signal.aborted) throw new Exit(exitCodes.interrupted);
  if (counts.fail > 0) throw new Exit(exitCodes.error);
};
