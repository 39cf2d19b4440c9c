import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Loaded into a process before Sluice (`node --import`): while the file that TEST_BAD_DISK names is there, its storage
 * fails now and then, as a disk or a mount does that is about to go: files do not open, half of a write arrives, a
 * rename is refused, or was done and is reported as failed.
 */
const marker = process.env['TEST_BAD_DISK'] ?? '/nonexistent';
const concerned = (path: unknown): boolean => typeof path === 'string' && path.includes('/storage/') && existsSync(marker);
const unlucky = (share: number): boolean => Math.random() < share;
const failure = (call: string): Error => Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO', syscall: call });

const { open, rename } = fs;
const probe = await open('/dev/null', 'r');
const handles = Object.getPrototypeOf(probe) as { write: (...args: unknown[]) => Promise<unknown>; datasync: () => Promise<void> };
await probe.close();
const { write, datasync } = handles;
/** Those of storage. */
const ours = new WeakSet<object>();

fs.open = async (path, ...rest) => {
  if (concerned(path) && unlucky(0.15)) throw failure('open');
  const handle = await open(path, ...rest);
  if (typeof path === 'string' && path.includes('/storage/')) ours.add(handle);
  return handle;
};
fs.rename = async (from, to) => {
  const bad = concerned(from);
  if (bad && unlucky(0.1)) throw failure('rename');
  await rename(from, to);
  if (bad && unlucky(0.1)) throw failure('rename');
};
handles.write = async function (this: object, ...args) {
  const [bytes, offset, length] = args;
  if (!ours.has(this) || !existsSync(marker) || !unlucky(0.15)) return write.apply(this, args);
  if (typeof length === 'number') await write.call(this, bytes, offset, length >> 1);
  throw failure('write');
};
handles.datasync = async function (this: object) {
  if (ours.has(this) && existsSync(marker) && unlucky(0.1)) throw failure('fdatasync');
  return datasync.call(this);
};
syncBuiltinESMExports();
