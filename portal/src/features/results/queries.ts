import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { call, Failure, type Api } from '../../lib/api.ts';
import { writeQuery } from '../../lib/url.ts';

export type Column = Api<'ResultColumn'>;
export type Page = Api<'ResultsPage'>;
export type Held = Api<'ResultsMolecules'>;
export type Summary = Api<'ResultsSummary'>;
export type Top = Api<'ResultsTop'>;
export type Scatter = Api<'ResultsScatter'>;
export type Table = Api<'ResultsTable'>;
export type Row = Record<string, unknown>;

/** The table is being made: it is worth asking again. */
export class Pending extends Error {
  readonly seconds: number;
  constructor(seconds: number) {
    super('The table is being made.');
    this.seconds = seconds;
  }
}

/** What one of the routes below `/results` says; 202 is a table that is not there yet. */
export const ask = async <T>(
  batch: string,
  part: string,
  query: Record<string, string | number | undefined>,
  signal?: AbortSignal,
): Promise<T> => {
  const reply = await call(`/v1/batches/${batch}/results/${part}${writeQuery(query)}`, signal && { signal });
  if (reply.status === 202) throw new Pending(Number(reply.headers.get('retry-after') ?? 1));
  return (await reply.json()) as T;
};

const asked = <T>(batch: string, part: string, query: Record<string, string | number | undefined>, enabled = true) =>
  queryOptions({
    queryKey: ['results', batch, part, query],
    queryFn: () => ask<T>(batch, part, query),
    // A table never changes; one that is being made is asked for until it is there.
    staleTime: Infinity,
    retry: (count, error) => error instanceof Pending || (count < 2 && !(error instanceof Failure)),
    retryDelay: (_, error) => (error instanceof Pending ? error.seconds * 1_000 : 1_000),
    placeholderData: keepPreviousData,
    enabled,
  });

export const tableQuery = (batch: string) => asked<Table>(batch, 'table', {});
export const summaryQuery = (batch: string, where: string) => asked<Summary>(batch, 'summary', { where });
export const topQuery = (batch: string, query: Record<string, string | number | undefined>) => asked<Top>(batch, 'top', query);
export const scatterQuery = (batch: string, query: Record<string, string | number | undefined>, enabled: boolean) =>
  asked<Scatter>(batch, 'scatter', query, enabled);
