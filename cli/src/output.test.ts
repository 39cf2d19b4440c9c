import { Writable } from 'node:stream';
import type { Batch } from '@sluice/contract';
import { expect, test } from 'vitest';
import { errorsPath } from './follow.ts';
import { bytes, duration, fieldsOf, printFields, printJson, printTable, type Terminal } from './output.ts';
import { Progress, progressLine, Rate } from './progress.ts';

const sink = (isTTY: boolean) => {
  let text = '';
  const stream = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    }),
    { isTTY, columns: 80 },
  );
  return { stream, text: () => text };
};

const pretend = (isTTY: boolean, color = false) => {
  const [out, err] = [sink(isTTY), sink(isTTY)];
  const terminal: Terminal = { out: out.stream, err: err.stream, color };
  return { terminal, out: out.text, err: err.text };
};

const batch = (counts: Partial<Batch['request_counts']>, more: Partial<Batch> = {}) =>
  ({
    id: 'batch_1',
    name: 'Kinase panel',
    status: 'in_progress',
    expires_at: 2_000,
    request_counts: { total: 50_000, completed: 31_000, failed: 100, cancelled: 0, expired: 0, ...counts },
    ...more,
  }) as Batch;

test('a table on a terminal, tabs where something else reads it', () => {
  const items = [
    { id: 'a', note: 'two\twords' },
    { id: 'bcd', note: null },
  ];
  const columns = { id: (item: (typeof items)[0]) => item.id, note: (item: (typeof items)[0]) => item.note };
  const [person, program] = [pretend(true), pretend(false)];
  printTable(person.terminal, items, columns);
  expect(person.out()).toBe('ID   NOTE\na    two\twords\nbcd\n');
  printTable(program.terminal, items, columns);
  expect(program.out()).toBe('a\ttwo words\nbcd\t\n');
  printFields(program.terminal, { id: 'a', none: null });
  expect(program.out()).toMatch(/\nid\ta\n$/);
});

test('--json gives all of it, --json=a,b.c these fields', () => {
  expect([fieldsOf(undefined), fieldsOf(''), fieldsOf('id, a.b')]).toEqual([null, true, ['id', 'a.b']]);
  const { terminal, out } = pretend(false);
  printJson(terminal, [{ id: 1, a: { b: 2 } }], ['id', 'a.b', 'none']);
  expect(out()).toBe('[{"id":1,"a.b":2,"none":null}]\n');
});

test('progress says how far, how fast, until when, and what failed', () => {
  expect(progressLine(batch({}), 412, 1_000_000)).toBe(
    'Kinase panel ▕████████████▌░░░░░░░▏ 62 % 31,100/50,000 · 100 failed · 412/s · ETA 46 s · deadline ok',
  );
  expect(progressLine(batch({ failed: 0 }), 1, 1_000_000)).toContain('later than its deadline');
  expect(progressLine(batch({}, { status: 'validating' }), null, 0)).toBe('Kinase panel · validating the input');
  const validating = (checked: number, total: number | null) =>
    progressLine(batch({}, { status: 'validating', validation: { checked, total } }), null, 0);
  expect(validating(12_000, 30_000)).toBe('Kinase panel · validating the input ▕████████░░░░░░░░░░░░▏ 40 % 12,000/30,000');
  expect(validating(12_000, null)).toBe('Kinase panel · validating the input · 12,000 lines so far');
  expect(progressLine(batch({ completed: 49_900 }, { status: 'finalizing' }), 5, 0)).toMatch(
    /100 % 50,000\/50,000 · 100 failed · finalizing$/,
  );
});

test('the rate follows what settles, and is smooth', () => {
  const rate = new Rate();
  rate.add(0, 0);
  expect(rate.value).toBeNull();
  rate.add(1_000, 100);
  expect(rate.value).toBe(100);
  rate.add(2_000, 100);
  expect(rate.value).toBeGreaterThan(70);
  rate.add(3_000, 300);
  expect(rate.value).toBeGreaterThan(90);
});

test('progress redraws on a terminal, and says a line every ten seconds elsewhere', () => {
  const person = pretend(true);
  const shown = new Progress(person.terminal);
  shown.show('a'.repeat(200), 0);
  shown.end();
  expect(person.err()).toBe(`\r\u001B[2K${'a'.repeat(78)}…\r\u001B[2K`);
  const log = pretend(false);
  const logged = new Progress(log.terminal);
  for (const [text, at] of [
    ['one', 0],
    ['two', 5_000],
    ['three', 10_000],
    ['three', 30_000],
  ] as const)
    logged.show(text, at);
  logged.end();
  expect(log.err()).toBe('three\n');
  const quiet = pretend(true);
  new Progress(quiet.terminal, true).show('one', 0);
  expect(quiet.err()).toBe('');
});

test('figures for people', () => {
  expect([bytes(7), bytes(1_500), bytes(2_000_000), bytes(3_210_000_000)]).toEqual(['7 B', '1.5 kB', '2.0 MB', '3.2 GB']);
  expect([duration(2.34), duration(46), duration(125), duration(7_500), duration(Infinity)]).toEqual([
    '2.3 s',
    '46 s',
    '2 min 5 s',
    '2 h 5 min',
    '–',
  ]);
  expect([errorsPath('a/out.jsonl'), errorsPath('out')]).toEqual(['a/out.errors.jsonl', 'out.errors']);
});
