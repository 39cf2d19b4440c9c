import { because, type Reason, type Standing } from './standing.ts';

export const at = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export const within = (seconds: number): string =>
  seconds < 90
    ? plural(Math.round(seconds), 'second')
    : seconds < 5_400
      ? plural(Math.round(seconds / 60), 'minute')
      : plural(Math.round(seconds / 3_600), 'hour');

/** What an explanation is made of. */
export interface Told {
  summary: string;
  reasons: Reason[];
  next: string[];
}

export const held = (s: Standing, doing: string): Reason =>
  s.held_until === null
    ? because('not_held', `Nobody ${doing} it yet.`)
    : s.held_until < s.now
      ? because('lease_over', `The lease of whoever ${doing.replace(/s$/, 'd')} it ran out ${within(s.now - s.held_until)} ago.`)
      : because('held', `A scheduler ${doing} it; its lease lasts until ${at(s.held_until)} and is renewed while it works.`);

export const tried = (s: Standing): Reason[] =>
  s.tries > 1 ? [because('tries', `This is try ${s.tries}; the ones before did not end.`)] : [];
