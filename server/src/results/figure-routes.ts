import {
  QueriedResults,
  QueryResults,
  ResultsPending,
  ResultsScatter,
  ResultsScatterQuery,
  ResultsSummary,
  ResultsSummaryQuery,
  ResultsTop,
  ResultsTopQuery,
} from '@sluice/contract';
import { LRUCache } from 'lru-cache';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { best, extremes, isNumeric, numeric, parseObjective, propertiesOf, scatter } from './figures.ts';
import { identifier } from './quoted.ts';
import { anyId, patience, pending, sendJson } from './replies.ts';
import type { ReadyTable, ResultReader } from './reader.ts';
import { rowsAt } from './rows.ts';
import { forJson, parseColumns, tableOf, whereSql } from './select.ts';
import { smilesColumn } from './smiles-column.ts';
import { summarise } from './summary.ts';
import { columnOf, parseWhere, type Condition } from './where.ts';

/** Rows looked at for so many that differ in their scaffolds. */
const looked = { each: 20, most: 5_000 };

const whereOf = ({ columns }: ReadyTable, where: string | undefined): Condition[] =>
  where === undefined ? [] : parseWhere(where, columns);

/** Figures of a batch's table, and questions about it. */
export const figureRoutes = (app: App, { results }: { results: ResultReader }): void => {
  // A table never changes, and neither do its figures.
  const summaries = new LRUCache<string, Omit<ResultsSummary, 'object'>>({ max: 200 });

  app.get(
    '/v1/batches/:id/results/summary',
    {
      schema: {
        summary: 'Figures of each property, and failures by their cause',
        operationId: 'getBatchResultsSummary',
        params: anyId,
        querystring: ResultsSummaryQuery,
        response: { 200: ResultsSummary, 202: ResultsPending },
      },
    },
    async (request, reply): Promise<ResultsSummary | ResultsPending> => {
      const table = await results.find(request.identity, request.params.id, request.query.wait ?? patience);
      if (typeof table === 'string') return pending(reply, table);
      const where = whereOf(table, request.query.where);
      const properties = propertiesOf(table.columns, request.query.properties);
      const key = `${table.key}\0${JSON.stringify([properties.map(({ name }) => name), where])}`;
      let summary = summaries.get(key);
      if (!summary) {
        summary = await summarise((question) => results.ask(question), await results.path(table), properties, where);
        summaries.set(key, summary);
      }
      return { object: 'batch.results.summary', ...summary };
    },
  );

  app.get(
    '/v1/batches/:id/results/top',
    {
      schema: {
        summary: 'The best rows, by a property or by a weighted objective',
        operationId: 'getBatchResultsTop',
        params: anyId,
        querystring: ResultsTopQuery,
        response: { 200: ResultsTop, 202: ResultsPending },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const table = await results.find(request.identity, request.params.id, query.wait ?? patience);
      if (typeof table === 'string') return pending(reply, table);
      if ((query.property === undefined) === (query.objective === undefined))
        throw new ApiError('invalid_value', 'Give either property or objective.', {
          param: query.property === undefined ? 'property' : 'objective',
        });
      const n = query.n ?? 10;
      const where = whereOf(table, query.where);
      const columns = query.columns === undefined ? table.columns : parseColumns(query.columns, table.columns);
      const path = await results.path(table);
      const wanted = query.diverse === undefined ? n : Math.min(Math.max(looked.most, n), n * looked.each);
      const question =
        query.objective === undefined
          ? extremes(path, numeric(table.columns, query.property!, 'property'), where, query.order ?? 'desc', wanted)
          : best(path, parseObjective(query.objective, table.columns), where, wanted);
      let ranked: { line: number; value: number; scaffold?: string | null }[] = (await results.ask(question)).map(({ line, value }) => ({
        line: line as number,
        value: value as number,
      }));
      if (query.diverse !== undefined) ranked = (await withScaffolds(results, table, path, ranked)).slice(0, n);
      const texts = await rowsAt(
        results,
        path,
        columns.map(forJson),
        ranked.map(({ line }) => line),
      );
      const data = ranked.map(
        ({ line, ...rest }, i) => `${JSON.stringify({ rank: i + 1, ...rest }).slice(0, -1)},"row":${texts.get(line)!}}`,
      );
      return sendJson(reply, { object: 'list' as const, columns: [...columns] }, data);
    },
  );

  app.get(
    '/v1/batches/:id/results/scatter',
    {
      schema: {
        summary: 'Two properties against each other, as columns',
        operationId: 'getBatchResultsScatter',
        params: anyId,
        querystring: ResultsScatterQuery,
        response: { 200: ResultsScatter, 202: ResultsPending },
      },
    },
    async (request, reply): Promise<ResultsScatter | ResultsPending> => {
      const { x, y, colour, points = 50_000, ...query } = request.query;
      const table = await results.find(request.identity, request.params.id, query.wait ?? patience);
      if (typeof table === 'string') return pending(reply, table);
      const where = whereOf(table, query.where);
      const axes = [numeric(table.columns, x, 'x'), numeric(table.columns, y, 'y')];
      if (colour !== undefined) axes.push(columnOf(table.columns, colour, 'colour'));
      const path = await results.path(table);
      const filter = whereSql(
        where,
        axes.slice(0, 2).map(({ name }) => `${identifier(name)} is not null`),
      );
      const counted = await results.ask({ sql: `select count(*)::double as n from ${tableOf(path)} ${filter.sql}`, values: filter.values });
      const total = counted[0]!['n'] as number;
      const found = (await results.ask(scatter(path, axes, where, total, points)))[0]!;
      const list = <Value>(name: string): Value[] => (found[name] as Value[] | null) ?? [];
      return {
        object: 'batch.results.scatter',
        total,
        sampled: total > points,
        line: list('line'),
        x: list('v0'),
        y: list('v1'),
        ...(colour !== undefined && { colour: list<number | string | null>('v2') }),
      };
    },
  );

  app.post(
    '/v1/batches/:id/results/query',
    {
      schema: {
        summary: 'Ask the table a question in SQL',
        description:
          "One `select` over `results`, in DuckDB's SQL, in a process that has nothing but this table: no other file, no network, no settings; 10 seconds and 256 MB.",
        operationId: 'queryBatchResults',
        params: anyId,
        querystring: Type.Object({ wait: ResultsTopQuery.properties.wait }),
        body: QueryResults,
        response: { 200: QueriedResults, 202: ResultsPending },
      },
    },
    async (request, reply): Promise<QueriedResults | ResultsPending> => {
      const table = await results.find(request.identity, request.params.id, request.query.wait ?? patience);
      if (typeof table === 'string') return pending(reply, table);
      return { object: 'batch.results.query', ...(await results.sql(table, request.body.sql, request.body.limit ?? 1_000)) };
    },
  );
};

/** The first of each scaffold; what is no molecule has none, and is left out. */
const withScaffolds = async <Ranked extends { line: number }>(
  results: ResultReader,
  table: ReadyTable,
  path: string,
  ranked: readonly Ranked[],
): Promise<(Ranked & { scaffold: string | null })[]> => {
  const column = smilesColumn(
    table.columns.filter((each) => !isNumeric(each)),
    'diverse',
  );
  if (ranked.length === 0) return [];
  const lines = ranked.map(({ line }) => line).join(', ');
  const found = await results.ask({
    sql: `select line, ${identifier(column.name)} as smiles from ${tableOf(path)} where line in (${lines})`,
    values: [],
  });
  const smiles = new Map(found.map((row) => [row['line'], row['smiles']]));
  const scaffolds = await results.scaffolds(ranked.map(({ line }) => smiles.get(line)));
  const seen = new Set<string | null>([null]);
  return ranked.flatMap((each, i) => {
    const scaffold = scaffolds[i]!;
    if (seen.has(scaffold)) return [];
    seen.add(scaffold);
    return [{ ...each, scaffold }];
  });
};
