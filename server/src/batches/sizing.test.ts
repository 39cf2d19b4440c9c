import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countLines, eachLine, linesOf } from '../formats/lines.ts';
import { RepeatList } from './repeats.ts';
import { cutWithRepeats, withoutRepeats } from './sizing.ts';

/** What each line says; gaps between them are lines of other models. */
const texts = fc.array(fc.record({ text: fc.nat(12), gap: fc.nat(2) }), { minLength: 1, maxLength: 120 });

test('every line is in one chunk, with what it repeats while there is room, and no chunk is larger than it may be', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 40 }), (said, runs, more) => {
      const room = { runs, lines: runs + more };
      const first = new Map<number, number>();
      const lines: number[] = [];
      const repeats = new RepeatList();
      const leader = new Map<number, number>();
      let at = 0;
      for (const { text, gap } of said) {
        at += 1 + gap;
        lines.push(at);
        const known = first.get(text);
        if (known === undefined) first.set(text, at);
        else repeats.add(known, at);
        leader.set(at, known ?? at);
      }
      const own = [...withoutRepeats(linesOf(lines), repeats)];
      expect(own).toEqual([...first.values()].sort((a, b) => a - b));
      const chunks = cutWithRepeats('m@1.0.0', own, repeats, room);
      expect(chunks.flatMap((chunk) => [...eachLine(chunk.lines)]).sort((a, b) => a - b)).toEqual(lines);
      for (const chunk of chunks) {
        expect(countLines(chunk.lines)).toBeLessThanOrEqual(room.lines);
        expect(new Set([...eachLine(chunk.lines)].map((line) => leader.get(line))).size).toBeLessThanOrEqual(room.runs);
      }
      // Each kind fills the chunks it needs, and is in at most one that it shares with others at either end.
      for (const line of own) {
        const size = [...leader.values()].filter((value) => value === line).length;
        const holders = chunks.filter((chunk) => [...eachLine(chunk.lines)].some((each) => leader.get(each) === line)).length;
        expect(holders).toBeLessThanOrEqual(1 + Math.ceil(size / room.lines));
      }
    }),
  );
});
