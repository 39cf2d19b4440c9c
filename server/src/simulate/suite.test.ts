import { expect, test } from 'vitest';
import { cells, runSuite } from './suite.ts';

test('S1, S9: the suite on a few seeds: no promised deadline missed, costs within their bounds', () => {
  const only = cells()
    .filter(({ under, factor }) => factor * (1 - under) >= 1)
    .map((cell) => ({ ...cell, policies: ['rho_0_7', 'dedicated_autoscaled'] as const }));
  const printed: string[] = [];
  expect(only.length).toBeGreaterThanOrEqual(20);
  // Nine seeds see each zone once. Many batches take longer than a single one.
  expect(runSuite({ seeds: 9, only: only.filter(({ load }) => load !== 'many'), print: (text) => printed.push(text) })).toEqual([]);
  expect(runSuite({ seeds: 3, only: only.filter(({ load }) => load === 'many'), print: (text) => printed.push(text) })).toEqual([]);
  expect(printed.join('\n')).toContain('rho_0_7');
}, 60_000);

test('the plainer rules miss what the line does not', () => {
  const cell = cells().find(({ load, under, factor, coldStart }) => load === 0.6 && under === 0 && factor === 1.25 && coldStart === 300)!;
  const printed: string[] = [];
  runSuite({
    seeds: 9,
    only: [{ ...cell, policies: ['rho_0_7', 'threshold_15min', 'threshold_2h', 'fifo_spot'] }],
    print: (text) => printed.push(text),
  });
  const missed = (policy: string): number => Number(new RegExp(`${policy} +\\| +(\\d+) / `).exec(printed.join('\n'))![1]);
  expect(missed('rho_0_7')).toBe(0);
  for (const policy of ['threshold_15min', 'threshold_2h', 'fifo_spot']) expect(missed(policy)).toBeGreaterThan(0);
});
