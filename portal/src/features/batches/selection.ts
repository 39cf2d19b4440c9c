import type { Api } from '../../lib/api.ts';
import { secondOf } from '../../lib/url.ts';
import { filterOf, type Shown } from './list-query.ts';

/** What an action is for: batches that were picked, or all that the filter means, on whatever page they stand. */
export type Selection = { kind: 'ids'; ids: ReadonlySet<string> } | { kind: 'filter'; shown: Shown; exclude: ReadonlySet<string> };

type BulkBody = Partial<Pick<Api<'BulkOperation'>, 'filter'>> & { ids?: string[]; exclude?: string[] };

const list = (text: string): string[] => text.split(',').filter(Boolean);
const pick = <T>(name: string, value: T[] | undefined): Record<string, T[]> =>
  value === undefined || value.length === 0 ? {} : { [name]: value };
const words = { normal: 1, medium: 5, high: 10 } as const;

/**
 * The selection as `/v1/bulk` takes it. The search box is taken apart by the same function that the server uses for the list, so that
 * an action means what is seen.
 */
export const bulkSelection = async (selection: Selection): Promise<BulkBody> => {
  if (selection.kind === 'ids') return { ids: [...selection.ids] };
  const { parseSearch } = await import('@sluice/contract/search');
  const raw = filterOf(selection.shown);
  const { search } = parseSearch(raw['q'] ?? '');
  const since = [raw['from'], search.newer].map((each) => (each === undefined ? null : secondOf(each))).filter((each) => each !== null);
  const until = [raw['to'], search.older].map((each) => (each === undefined ? null : secondOf(each))).filter((each) => each !== null);
  const both = (a: string | undefined, b: string[] | undefined): string[] | undefined => {
    const first = a === undefined ? undefined : list(a);
    if (first === undefined || b === undefined) return first ?? b;
    return first.filter((each) => b.includes(each));
  };
  const priority = both(raw['priority'], search.priority)?.map((each) =>
    Object.hasOwn(words, each) ? words[each as keyof typeof words] : Number(each),
  );
  const filter = {
    ...pick('status', both(raw['status'], search.status)),
    ...pick('model', both(raw['model'], search.model)),
    ...pick('user', both(raw['user'], search.owner)),
    ...pick('pool', both(raw['pool'], search.pool)),
    ...pick('priority', priority),
    ...pick('sla', both(raw['sla'], search.sla)),
    ...(search.error !== undefined && { error: search.error.join(' ') }),
    ...(search.metadata !== undefined && { metadata: search.metadata }),
    ...(search.words.length > 0 && { q: search.words.join(' ') }),
    ...(since.length > 0 && { since: Math.max(...since) }),
    ...(until.length > 0 && { until: Math.min(...until) }),
  };
  return { filter, ...(selection.exclude.size > 0 && { exclude: [...selection.exclude] }) };
};
