import { Exit, exitCodes } from '../exit.ts';

export const operations = ['predict', 'batch', 'status', 'list', 'upload'] as const;
export type Operation = (typeof operations)[number];

export type Mix = { operation: Operation; weight: number }[];

const wrong = (option: string, text: string, expected: string): Exit =>
  new Exit(exitCodes.error, `${option} ${text}: ${expected} was expected.`);

/** `50/s`, `50`: calls a second, to 10,000. */
export const rateOf = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(text);
  const rate = Number(match?.[1]);
  if (!match || rate <= 0 || rate > 10_000) throw wrong('--rate', text, 'a number of calls a second to 10000, such as 50/s,');
  return rate;
};

/** `30s`, `5m`: milliseconds, to an hour. */
export const spanOf = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = Number(match?.[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(match?.[2] ?? 's') as 's'];
  if (!match || ms <= 0 || ms > 3_600_000) throw wrong('--duration', text, 'a time to 1h, such as 30s,');
  return ms;
};

/** `predict:50,status:40`: how often each in proportion; a name alone counts once. */
export const mixOf = (text: string): Mix =>
  text.split(',').map((part) => {
    const [name = '', weight = '1'] = part.trim().split(':');
    const operation = operations.find((known) => known === name);
    if (!operation || !/^\d{1,6}$/.test(weight) || Number(weight) === 0)
      throw wrong('--mix', part, `${operations.join(', ')}, each with a weight: predict:50,`);
    return { operation, weight: Number(weight) };
  });

/** The operations in turn, each as often as its weight says at every moment and not only in the end. */
export const turnsOf = (mix: Mix): (() => Operation) => {
  const total = mix.reduce((sum, { weight }) => sum + weight, 0);
  const owed = mix.map(() => 0);
  return () => {
    let next = 0;
    for (const [i, { weight }] of mix.entries()) {
      owed[i]! += weight;
      if (owed[i]! > owed[next]!) next = i;
    }
    owed[next]! -= total;
    return mix[next]!.operation;
  };
};
