import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { here, startOf } from './processes.ts';

/** Who holds a data directory. */
export interface Holder {
  pid: number;
  /** Together with `pid` and `place` it names one process: numbers are used again. */
  began: string | null;
  place: string;
  host: string;
  since: string;
  /** Where its API answers, once it does. */
  url?: string;
}

/** Somebody else has it. */
export class Held extends Error {
  readonly holder: Holder;

  constructor(dataDir: string, holder: Holder) {
    const where = holder.place === here() ? '' : ` on ${holder.host}`;
    super(
      `${dataDir} is in use by process ${holder.pid}${where}, since ${holder.since}${holder.url ? `, which answers at ${holder.url}` : ''}. ` +
        'Stop it first, or give this one a data directory of its own (--data-dir).',
    );
    this.name = 'Held';
    this.holder = holder;
  }
}

export interface Lock extends AsyncDisposable {
  /** Tells others where we answer. */
  announce(url: string): Promise<void>;
  release(): Promise<void>;
}

const fileOf = (dataDir: string): string => join(dataDir, 'lock');

/** Milliseconds between two signs of life, and without one until a holder on another machine counts as gone. */
const touch = 5_000;
const gone = 30_000;

/** Names nobody: a lock that a full disk has cut off. */
const nobody: Holder = { pid: 0, began: null, place: here(), host: '', since: '' };

const read = async (file: string): Promise<{ text: string; holder: Holder } | null> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return { text, holder: JSON.parse(text) as Holder };
  } catch {
    return { text, holder: nobody };
  }
};

const holds = async (file: string, holder: Holder): Promise<boolean> => {
  if (holder.place === here()) return holder.began !== null && startOf(holder.pid) === holder.began;
  // Another machine, container or boot: its process numbers mean nothing here, only its signs of life do.
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < gone;
};

/** Who holds the data directory just now, or null. */
export const holderOf = async (dataDir: string): Promise<Holder | null> => {
  const found = await read(fileOf(dataDir));
  return found && (await holds(fileOf(dataDir), found.holder)) ? found.holder : null;
};

/**
 * Takes the data directory for this process, or throws `Held`. What a crash has left is taken over at once on the same
 * machine, and after half a minute on another one.
 */
export const lockDataDir = async (dataDir: string): Promise<Lock> => {
  const file = fileOf(dataDir);
  const me: Holder = { pid: process.pid, began: startOf(process.pid), place: here(), host: hostname(), since: new Date().toISOString() };
  const draft = `${file}.${process.pid}`;
  const write = (): Promise<void> => writeFile(draft, `${JSON.stringify(me)}\n`, { mode: 0o644 });
  try {
    for (;;) {
      await write();
      // A link, unlike a rename, fails where somebody else was first.
      const taken = await link(draft, file).then(
        () => true,
        (error: unknown) => {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
          throw error;
        },
      );
      if (taken) break;
      const found = await read(file);
      if (!found) continue;
      if (await holds(file, found.holder)) throw new Held(dataDir, found.holder);
      await takeAway(file, found.text);
    }
  } finally {
    await rm(draft, { force: true });
  }

  const timer = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), touch);
  timer.unref();
  const mine = async (): Promise<boolean> => {
    const found = await read(file);
    return found?.holder.pid === me.pid && found.holder.began === me.began && found.holder.place === me.place;
  };
  const release = async (): Promise<void> => {
    clearInterval(timer);
    if (await mine()) await rm(file, { force: true });
  };
  const announce = async (url: string): Promise<void> => {
    me.url = url;
    await write();
    await rename(draft, file);
  };
  return { announce, release, [Symbol.asyncDispose]: release };
};

/** Removes a stale lock; of two that try, one may find that the other has already made a new one, and puts it back. */
const takeAway = async (file: string, text: string): Promise<void> => {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, file).catch(() => {});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { force: true });
  }
};
