/**
 * A process of the pool: reads rows from descriptor 3 with blocking calls, answers them there, and notes on descriptor
 * 4 which row it is at, so that when it hangs or dies the pool knows which did it. It is killed, never asked, to stop.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { messageOf } from '../lib/errors.ts';
import { frame, Inbox, writeFully } from '../lib/frames.ts';
import { endWithParent } from '../lib/orphan.ts';
import { Featuriser } from './features.ts';
import { operations, type OperationName } from './operations.ts';
import { brokenBy, type Asked, type Answered, type Settings } from './process.ts';
import { Rdkit } from './rdkit.ts';

const socket = 3;
const progress = 4;
const features = 5;

endWithParent();

const inbox = new Inbox(socket);
const settings = inbox.next();
if (!settings) process.exit(0);
const { keeps } = JSON.parse(settings.head.toString()) as Settings;
const rdkit = await Rdkit.load();
const run = operations(rdkit, keeps ? new Featuriser(rdkit, features) : null);
writeFully(socket, frame({ version: rdkit.version }));
// It will be killed, and would leave nothing for the next one.
flushCompileCache();

/** A count that moves with every step, and the row at work. */
const mark = new Int32Array(2);
const note = (row: number) => {
  mark[0]!++;
  mark[1] = row;
  writeSync(progress, new Uint8Array(mark.buffer), 0, 8, 0);
};

while (true) {
  const received = inbox.next();
  if (!received) process.exit(0);
  const { operation, options, rows } = JSON.parse(received.head.toString()) as Asked;
  const began = performance.now();
  rdkit.forgetLog();
  const { one, end } = await run[operation as OperationName](options as never);
  const results = rows.map((row, index) => {
    note(index);
    try {
      return one(row);
    } catch (error) {
      // After an error of WASM's every later call would fail too: end here, and the pool blames this row.
      process.stderr.write(`${messageOf(error)}\n`);
      process.exit(brokenBy);
    }
  });
  end?.();
  const answer: Answered = { ms: performance.now() - began, results };
  writeFully(socket, frame(answer));
}
