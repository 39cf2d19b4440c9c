import { hash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { here, startOf } from './processes.ts';

/** Eight letters or digits. */
const short = (text: string): string => hash('sha256', text, 'hex').slice(0, 8);

/** Tells a process from an earlier one of its number. */
const birthOf = (pid: number): string => short(String(startOf(pid)));

/**
 * A new folder of this process's own among the system's temporary ones, to be removed by it. Those of processes that
 * were killed go first: their names say whose they were, and of which machine, boot and container.
 */
export const makeScratch = async (name: string, parent = tmpdir()): Promise<string> => {
  const ours = `sluice-${name}-${short(here())}-`;
  for (const folder of await readdir(parent)) {
    if (!folder.startsWith(ours)) continue;
    const [pid, birth] = folder.slice(ours.length).split('-');
    if (birthOf(Number(pid)) !== birth) await rm(join(parent, folder), { recursive: true, force: true }).catch(() => {});
  }
  return mkdtemp(join(parent, `${ours}${process.pid}-${birthOf(process.pid)}-`));
};
