import { spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { serverUrl } from '../connect.ts';
import { Exit, exitCodes } from '../exit.ts';

const records: [RegExp, (id: string) => string][] = [
  [/^batch_req_[0-9a-f]{32}$/, (id) => `/requests/${id}`],
  [/^batch_[0-9a-f]{32}$/, (id) => `/batches/${id}`],
  [/^job_[0-9a-f]{24}$/, (id) => `/jobs/${id}`],
  [/^op_[0-9a-f]{8,}$/, (id) => `/bulk/${id}`],
  [/^file-[A-Za-z0-9]{8,}$/, (id) => `/files?id=${id}`],
  [/^worker_[A-Za-z0-9]{4,}$/, (id) => `/workers?id=${id}`],
];

const pages = ['batches', 'screens', 'jobs', 'models', 'dead-letters', 'workers', 'files', 'settings'];

/** The path of the portal's page of a record, a page or a model; a name is asked for, so that no page is empty. */
const pathOf = async (context: Context, what: string | undefined): Promise<string> => {
  if (what === undefined) return '/';
  for (const [pattern, path] of records) if (pattern.test(what)) return path(what);
  if (pages.includes(what)) return `/${what}`;
  const [name = what] = what.split('@');
  const reply = await context.client.call('GET', `/v1/models/${encodeURIComponent(name)}`).catch((error: unknown) => {
    throw new Exit(
      exitCodes.error,
      `${what} is no id, no page and no model: ${error instanceof Error ? error.message : String(error)}`,
      `Pages are ${pages.join(', ')}; \`sluice search ${what}\` looks everywhere.`,
    );
  });
  await reply.body?.cancel();
  return `/models/${encodeURIComponent(name)}`;
};

const browsers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Prints the address of the portal's page, and on a terminal opens it in the browser, where there is one. */
export const open = async (context: Context, what: string | undefined, { print }: { print?: boolean }): Promise<void> => {
  const { terminal, address } = context;
  const url = new URL(await pathOf(context, what), serverUrl(address ?? undefined)).href;
  terminal.out.write(`${url}\n`);
  if (print || !terminal.out.isTTY) return;
  const [program, ...args] = browsers[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  // The address has been printed: that will do where there is nothing to open it with.
  child.on('error', () => {});
  child.unref();
};
