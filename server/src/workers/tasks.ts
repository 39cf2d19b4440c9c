import type { JsonObject, Task } from '../executors/executor.ts';
import { parseExactly } from '../formats/exact-json.ts';
import type { Lines } from '../formats/lines.ts';
import { readLines, type LineSource } from '../formats/read-lines.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * The requests of a set of lines, in order, in the groups in which they were read.
 *
 * @param attempts how many attempts a line has behind it; lines that are not in it have none
 */
export async function* readTasks(
  storage: Storage,
  source: LineSource & { lines: Lines },
  attempts: ReadonlyMap<number, number>,
): AsyncGenerator<Task[]> {
  for await (const group of readLines(storage, source, source.lines)) {
    yield group.map(({ line, bytes }) => {
      // Intake has checked the line: it parses, and has these fields.
      const value = parseExactly(bytes.toString('utf8')) as { custom_id: string; url: string; body: JsonObject };
      return { line, customId: value.custom_id, url: value.url, body: value.body, attempt: (attempts.get(line) ?? 0) + 1 };
    });
  }
}
