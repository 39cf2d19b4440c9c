import { batchStatuses, parseSearch, priorities, priorityNames, type BatchStatus, type PortalBatchFilter } from '@sluice/contract';
import { slaStates, type BatchFilter, type SlaState } from '../batches/filter.ts';
import { windowSeconds } from '../batches/windows.ts';
import { ApiError } from '../lib/errors.ts';

const refuse = (message: string, param: string): ApiError => new ApiError('invalid_value', message, { param });

const split = (value: string | undefined): string[] | undefined =>
  value === undefined
    ? undefined
    : value
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '');

const among = <T extends string>(values: string[] | undefined, known: readonly T[], param: string): T[] | undefined => {
  const unknown = values?.find((value) => !(known as readonly string[]).includes(value));
  if (unknown !== undefined)
    throw refuse(`Invalid value: '${unknown}'. Supported values are: ${known.map((each) => `'${each}'`).join(', ')}.`, param);
  return values as T[] | undefined;
};

const priorityOf = (value: string): number => {
  if ((priorityNames as readonly string[]).includes(value)) return priorities[value as keyof typeof priorities];
  if (/^\d{1,3}$/.test(value) && Number(value) <= 100) return Number(value);
  throw refuse(`Invalid value: '${value}'. A priority is normal, medium, high, or a number from 0 to 100.`, 'priority');
};

/** `24h`, seconds since the epoch, or a date and time, as seconds since the epoch. */
export const momentOf = (text: string, param: string, now: number): number => {
  const age = windowSeconds(text);
  if (age !== null) return now - age;
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text);
  const date = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date))
    throw refuse(`Invalid value: '${text}'. Give seconds since the epoch, a date and time, or an age such as '24h'.`, param);
  return date / 1_000;
};

/** Both mean the same field: what both allow. */
const both = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined): readonly T[] | undefined =>
  a === undefined ? b : b === undefined ? a : a.filter((each) => b.includes(each));

const later = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : Math.max(a, b ?? a));
const sooner = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : Math.min(a, b ?? a));

/** What the parameters of a URL mean, the search box among them. */
export const filterOf = (query: PortalBatchFilter, now: number): BatchFilter => {
  const { search, problems } = parseSearch(query.q ?? '');
  if (problems.length > 0) throw refuse(problems.join(' '), 'q');
  const age = (text: string | undefined): number | undefined => (text === undefined ? undefined : momentOf(text, 'q', now));
  const pairs = (query.metadata ?? []).map((pair): [string, string] => {
    const colon = pair.indexOf(':');
    return [pair.slice(0, colon), pair.slice(colon + 1)];
  });
  const twice = pairs.find(([key], i) => pairs.findIndex((pair) => pair[0] === key) !== i);
  if (twice !== undefined) throw refuse(`'${twice[0]}' is asked for twice; a batch has one value of a key.`, 'metadata');
  const metadata = { ...Object.fromEntries(pairs), ...search.metadata };
  return {
    status: both<BatchStatus>(among(split(query.status), batchStatuses, 'status'), search.status as BatchStatus[] | undefined),
    model: both(split(query.model), search.model),
    user: both(split(query.user), search.owner),
    pool: both(split(query.pool), search.pool),
    priority: both(split(query.priority)?.map(priorityOf), search.priority?.map(priorityOf)),
    sla: both<SlaState>(among(split(query.sla), slaStates, 'sla'), search.sla as SlaState[] | undefined),
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    q: search.words.length > 0 ? search.words.join(' ') : undefined,
    error: search.error?.join(' '),
    since: later(query.from === undefined ? undefined : momentOf(query.from, 'from', now), age(search.newer)),
    until: sooner(query.to === undefined ? undefined : momentOf(query.to, 'to', now), age(search.older)),
  };
};
