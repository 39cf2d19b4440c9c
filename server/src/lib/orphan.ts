import { Worker } from 'node:worker_threads';

/**
 * Ends this process within a second of its parent's death. The main thread may be in native code for good by then; a
 * thread of its own sees it. Its limits keep it small: without them it takes 540 MB of what the process may have.
 */
export const endWithParent = (): void =>
  new Worker(
    `const parent = ${process.ppid}; setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`,
    { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 1 } },
  ).unref();
