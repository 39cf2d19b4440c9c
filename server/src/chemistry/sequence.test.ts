import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aminoAcids, checkSequence } from './sequence.ts';

const residues = fc.string({ unit: fc.constantFrom(...aminoAcids.split('')), minLength: 10, maxLength: 200 });

test('any sequence of the twenty letters passes, however it is written', () => {
  fc.assert(
    fc.property(
      residues,
      fc.integer({ min: 1, max: 80 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      (sequence, width, end, lower) => {
        const lines = sequence.match(new RegExp(`.{1,${width}}`, 'g'))!.join(end);
        const fasta = `>sp|P1 a protein${end}${lower ? lines.toLowerCase() : lines}${end}`;
        expect(checkSequence(fasta)).toEqual({ ok: true, sequence, length: sequence.length, name: 'sp|P1 a protein' });
        expect(checkSequence(lines)).toEqual({ ok: true, sequence, length: sequence.length });
      },
    ),
  );
});

test('the first wrong letter is named with its place', () => {
  const foreign = fc.constantFrom('B', 'J', 'O', 'U', 'X', 'Z', '*', '-', '1', 'é');
  fc.assert(
    fc.property(residues, foreign, fc.nat(), (sequence, letter, place) => {
      const at = place % sequence.length;
      const wrong = sequence.slice(0, at) + letter + sequence.slice(at);
      const found = checkSequence(wrong);
      expect(found).toMatchObject({ ok: false, code: 'invalid_residue', position: at + 1 });
      expect(!found.ok && found.message).toContain(`Residue ${at + 1} is '${letter.toUpperCase()}'`);
    }),
  );
});

test.for([
  ['', 'empty_sequence'],
  [' \n ', 'empty_sequence'],
  ['>only a header\n', 'empty_sequence'],
  ['ACDEFGHIK', 'sequence_too_short'],
  ['A'.repeat(2001), 'sequence_too_long'],
  ['>a\nACDEFGHIKL\n>b\nACDEFGHIKL', 'several_sequences'],
] as const)('%j is %s', ([text, code]) => {
  expect(checkSequence(text)).toMatchObject({ ok: false, code });
});

test('limits and alphabet can be others', () => {
  expect(checkSequence('ACD', { least: 3, most: 3 })).toMatchObject({ ok: true });
  expect(checkSequence('ACGU', { least: 1, alphabet: 'ACGU' })).toMatchObject({ ok: true });
});
