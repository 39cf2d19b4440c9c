import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Jiffies a second: 100 on every Linux that Node runs on. */
const hertz = 100;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

interface Times {
  parent: number;
  /** Seconds of CPU, of the process and of those of its children that it has seen end. */
  seconds: number;
  /** Of the process alone. */
  own: number;
}

const processes = (): Map<number, Times> => {
  const all = new Map<number, Times>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The name is in brackets and may hold anything; the fields after it are counted from the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 15) continue;
    const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number) as [number, number, number, number];
    all.set(Number(name), {
      parent: Number(fields[1]),
      seconds: (user + system + childUser + childSystem) / hertz,
      own: (user + system) / hertz,
    });
  }
  return all;
};

/** Seconds of CPU that a process and all below it have used. */
export const cpuOfTree = (root: number): number => {
  const all = processes();
  let sum = 0;
  for (let [pid, times] of all) {
    const { seconds } = times;
    for (let up: Times | undefined = times; up; pid = up.parent, up = all.get(pid))
      if (pid === root) {
        sum += seconds;
        break;
      }
  }
  return sum;
};

/** Seconds of CPU of single processes. */
export const cpuOf = (pids: readonly number[]): number => {
  const all = processes();
  return pids.reduce((sum, pid) => sum + (all.get(pid)?.own ?? 0), 0);
};

/** The children of a process, by their numbers. */
export const childrenOf = (pid: number): number[] => [...processes()].filter(([, { parent }]) => parent === pid).map(([child]) => child);

/** Seconds all cores together were busy since boot, and seconds another guest of the host had them. */
const busy = (): { used: number; stolen: number } => {
  const [user, nice, system, , , irq, softirq, steal] = read('/proc/stat').split('\n', 1)[0]!.trim().split(/\s+/).slice(1).map(Number);
  return { used: (user! + nice! + system! + irq! + softirq!) / hertz, stolen: steal! / hertz };
};

/** Cores that processes other than this one and its own used while `work` ran, on average, in hundredths. */
export const watched = async <T>(work: () => Promise<T>): Promise<{ result: T; foreign: number }> => {
  const [began, before, mine] = [performance.now(), busy(), cpuOfTree(process.pid)];
  const result = await work();
  const [after, seconds] = [busy(), (performance.now() - began) / 1000];
  const others = after.used - before.used - (cpuOfTree(process.pid) - mine) + (after.stolen - before.stolen);
  return { result, foreign: Math.max(0, Math.round((100 * others) / seconds) / 100) };
};

/** Above this share of a core in other hands a run is not trusted. */
export const quiet = 0.1;

/** Runs `work`, again while others keep the machine busy; after `tries` it takes what it got. */
export const inQuiet = async <T>(work: () => Promise<T>, { tries = 2, name = '' } = {}): Promise<{ result: T; foreign: number }> => {
  for (let attempt = 1; ; attempt++) {
    const run = await watched(work);
    if (run.foreign <= quiet || attempt >= tries) return run;
    process.stderr.write(`${name}: others used ${run.foreign} cores; once more\n`);
    for (let waited = 0; waited < 20; waited++) if ((await watched(() => delay(1_000))).foreign <= quiet) break;
  }
};

/** The largest resident memory a process has had, in MB. */
export const peakMemory = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024);

export const shape = (): { cores: number; memory_gb: number; node: string } => ({
  cores: availableParallelism(),
  memory_gb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
});

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
