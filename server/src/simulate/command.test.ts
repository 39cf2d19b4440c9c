import { expect, test } from 'vitest';
import { simulateCommand } from './command.ts';
import { controllerNames } from './controllers.ts';

const quick = ['--seeds', '2', '--hours', '2', '--dedicated', '4', '--spot', '4'];

test('prints a table, or rows as JSON', () => {
  const { code, output } = simulateCommand([...quick, '--compare']);
  expect(code).toBe(0);
  expect(output.split('\n')).toHaveLength(controllerNames.length + 1);
  const rows: unknown = JSON.parse(simulateCommand([...quick, '--json', '--policy', 'sum_of_up', '--zone', 'us-west-2b']).output);
  expect(rows).toMatchObject([{ policy: 'sum_of_up', runs: 2, missed: 0 }]);
});

test('reads a trace', () => {
  const trace = JSON.stringify([
    { at: 0, window: 7_200, requests: 100, seconds: 20 },
    { at: 60, window: 3_600, requests: 5, seconds: 1, tenant: 'b' },
  ]);
  const { output } = simulateCommand(['--trace', 't.json', '--seeds', '1', '--json'], () => trace);
  expect(JSON.parse(output)).toMatchObject([{ batches: 2, missed: 0 }]);
});

test.each([
  [['--nope'], '--nope'],
  [['--load', 'much'], '--load must be a number'],
  [['--policy', 'x'], '--policy must be one of'],
  [['--zone', 'x'], '--zone must be one of'],
  [['--trace', 't.json'], 'batch 0 of the trace: window'],
])('%s is refused with the reason', (args, reason) => {
  const { code, output } = simulateCommand(args, () => '[{"at":0,"requests":1,"seconds":1}]');
  expect(code).toBe(2);
  expect(output).toContain(reason);
});

test('--help lists every option', () => expect(simulateCommand(['--help']).output).toContain('--cold-start'));
