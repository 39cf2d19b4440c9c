import { hash } from 'node:crypto';
import { ResultsPage, ResultsPageQuery, ResultsPending, ResultsQuery, ResultsTable, type ResultFormat } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { getBatch } from '../batches/read.ts';
import type { Chemistry } from '../chemistry/chemistry.ts';
import type { Db } from '../db/db.ts';
import { disposition, sendBytes } from '../files/content.ts';
import type { App } from '../lib/app.ts';
import type { Storage } from '../storage/storage.ts';
import type { SdfTask } from './facts.ts';
import { figureRoutes } from './figure-routes.ts';
import { anyId, patience, pending, rowText, sendJson } from './replies.ts';
import { selectionOf, totalOf } from './rows.ts';
import type { ReadyTable, ResultReader } from './reader.ts';
import { forJson, forSpreadsheets, plainly, selectSql, type Question, type Selection } from './select.ts';
import type { Column } from './layout.ts';
import { smilesColumn } from './smiles-column.ts';
import { linesHeld, substructureRoutes } from './substructure.ts';
import { getTable } from './table.ts';

export interface ResultRouteDeps {
  db: Db;
  storage: Storage;
  results: ResultReader;
  chemistry: Chemistry;
}

const types: Record<ResultFormat, string> = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8; header=present',
  tsv: 'text/tab-separated-values; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  sdf: 'chemical/x-mdl-sdfile',
};

/** How DuckDB writes each of them. */
const copies: Record<Exclude<ResultFormat, 'sdf'>, string> = {
  jsonl: 'format json',
  csv: "format csv, header true, delimiter ','",
  tsv: "format csv, header true, delimiter '\t'",
  parquet: 'format parquet',
};

const isWhole = ({ columns, where, sort, offset, limit }: Selection, table: ReadyTable): boolean =>
  columns === table.columns && where.length === 0 && sort.length === 0 && offset === 0 && limit === null;

/**
 * What is chosen, as an SDF has it: `shown` are its properties, behind which the molecules stand where they are none of them. The
 * record of an SD file that was the input is no property, unless it was asked for: it has lines.
 */
const chosenForSdf = (selection: Selection, table: ReadyTable): Selection & { shown: readonly Column[] } => {
  const all = selection.columns === table.columns;
  const shown = all ? table.columns.filter(({ key, name }) => (key ?? name) !== 'molblock') : selection.columns;
  const drawn = smilesColumn(table.columns, 'format');
  return { ...selection, shown, columns: shown.includes(drawn) ? shown : [...shown, drawn] };
};

/** Records named by their `custom_id`, or by their place in the table where it was not chosen. */
const sdfOf = ({ columns, shown }: ReturnType<typeof chosenForSdf>, table: ReadyTable, question: Question): SdfTask => ({
  do: 'sdf',
  ...question,
  names: shown.map(({ name }) => name),
  smiles: columns.indexOf(smilesColumn(table.columns, 'format')),
  title: Math.max(
    0,
    columns.findIndex(({ role }) => role === 'custom_id'),
  ),
});

/** `/v1/batches/{id}/results` and what hangs on it. */
export const resultRoutes = (app: App, deps: ResultRouteDeps): void => {
  const { db, storage, results } = deps;

  figureRoutes(app, deps);
  substructureRoutes(app, deps);

  app.get(
    '/v1/batches/:id/results',
    {
      schema: {
        summary: 'Download the results as a table',
        description:
          'One row per line of the input, in its order: inputs and columns that were sent along, status, outputs, error. In any format, with any choice of columns and rows, by a substructure of their molecules too. All of it as Parquet takes `Range`. 202 while the table is being made.',
        operationId: 'getBatchResults',
        params: anyId,
        querystring: ResultsQuery,
        produces: ['application/x-ndjson'],
      },
    },
    async (request, reply) => {
      const { format = 'jsonl', formulas = 'escape', wait = patience, smarts, ...query } = request.query;
      const table = await results.find(request.identity, request.params.id, wait);
      if (typeof table === 'string') return pending(reply, table);
      const chosen = selectionOf(table, query);
      const sdf = format === 'sdf' ? chosenForSdf(chosen, table) : null;
      const selection = sdf ?? chosen;
      const filename = `${table.batch.id}_results.${format}`;
      if (format === 'parquet' && smarts === undefined && isWhole(selection, table))
        return sendBytes(request, reply, storage, {
          sha256: table.sha256,
          bytes: table.bytes,
          key: table.key,
          filename,
          type: types.parquet,
        });
      const writing =
        format === 'jsonl' ? forJson : formulas === 'escape' && (format === 'csv' || format === 'tsv') ? forSpreadsheets : plainly;
      const path = await results.path(table);
      const asked = selectSql(path, selection, writing);
      if (isKnown(request, reply, [table.sha256, format, smarts ?? '', asked.sql, ...asked.values].join('\0')))
        return reply.code(304).send();
      const headers = { 'content-type': types[format], 'content-disposition': disposition(filename) };
      if (request.method === 'HEAD') return reply.headers(headers).send();
      const lines = smarts === undefined ? undefined : await linesHeld(deps, table, { where: selection.where, smarts }, reply);
      const question = lines === undefined ? asked : selectSql(path, { ...selection, lines }, writing);
      reply.headers(headers);
      return reply.send(
        await results.stream(
          sdf === null ? { do: 'copy', ...question, as: copies[format as keyof typeof copies] } : sdfOf(sdf, table, question),
        ),
      );
    },
  );

  app.get(
    '/v1/batches/:id/results/page',
    {
      schema: {
        summary: 'A page of the results, for screens',
        operationId: 'getBatchResultsPage',
        params: anyId,
        querystring: ResultsPageQuery,
        response: { 200: ResultsPage, 202: ResultsPending },
      },
    },
    async (request, reply) => {
      const { wait = patience, limit = 50, ...query } = request.query;
      const table = await results.find(request.identity, request.params.id, wait);
      if (typeof table === 'string') return pending(reply, table);
      const selection = selectionOf(table, { ...query, limit: limit + 1 });
      const path = await results.path(table);
      const question = selectSql(path, selection, forJson);
      const [rows, total] = await Promise.all([results.ask(rowText(question)), totalOf(results, path, table.rows, selection.where)]);
      const head = {
        object: 'list' as const,
        columns: [...selection.columns],
        total,
        offset: selection.offset,
        has_more: rows.length > limit,
      };
      return sendJson(
        reply,
        head,
        rows.slice(0, limit).map((each) => each['row'] as string),
      );
    },
  );

  app.get(
    '/v1/batches/:id/results/table',
    {
      schema: {
        summary: 'The columns of the table of results, and whether it is there',
        operationId: 'getBatchResultsTable',
        params: anyId,
        response: { 200: ResultsTable },
      },
    },
    async (request): Promise<ResultsTable> => {
      const batch = await getBatch(db, request.identity, request.params.id);
      const row = await getTable(db, batch.no);
      return {
        object: 'batch.results',
        batch_id: batch.id,
        state: row?.state ?? 'none',
        reason: row?.reason ?? null,
        rows: row?.rows ?? null,
        bytes: row?.bytes ?? null,
        sha256: row?.sha256 ?? null,
        columns: await results.declared(batch, row?.columns ?? []),
        built_at: row?.built_at ? Math.floor(row.built_at) : null,
      };
    },
  );
};

/** Tables never change: what the same question gave is what it gives. */
const isKnown = (request: FastifyRequest, reply: FastifyReply, all: string): boolean => {
  const etag = `W/"${hash('sha256', all, 'hex').slice(0, 32)}"`;
  reply.header('etag', etag);
  return (request.headers['if-none-match'] ?? '').split(',').some((each) => each.trim() === etag);
};
