import type { Outcome, Task } from '../executors/executor.ts';
import { requestId } from '../lib/ids.ts';

/** The line as it will stand in the output or error file. */
export const resultLine = (batchId: string, task: Task, outcome: Outcome): string => {
  const id = requestId(batchId, task.line);
  const head = `{"id":"${id}","custom_id":${JSON.stringify(task.customId)},"response":`;
  if (outcome.body !== undefined) {
    const request = JSON.stringify(outcome.requestId ?? `req_${id.slice(10)}`);
    return `${head}{"status_code":${outcome.status},"request_id":${request},"body":${outcome.body}},"error":null}\n`;
  }
  const { code, message } = outcome as { code: string; message: string };
  return `${head}null,"error":${JSON.stringify({ code, message })}}\n`;
};

/** Text gathered as UTF-8 in one growing buffer, with the place each piece got. */
export class LineBuffer {
  #buffer: Buffer;
  #used = 0;

  constructor(estimate: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(4_096, estimate));
  }

  write(text: string): { offset: number; length: number } {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const needed = this.#used + text.length * 3;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#used);
      this.#buffer = larger;
    }
    const offset = this.#used;
    const length = this.#buffer.write(text, offset, 'utf8');
    this.#used += length;
    return { offset, length };
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }
}
