import { ResultsMolecules, ResultsMoleculesQuery, ResultsPending } from '@sluice/contract';
import type { FastifyReply } from 'fastify';
import type { Chemistry } from '../chemistry/chemistry.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { anyId, patience, pending, sendJson } from './replies.ts';
import type { ReadyTable, ResultReader } from './reader.ts';
import { rowsAt, selectionOf, totalOf } from './rows.ts';
import { forJson, selectSql, tableOf } from './select.ts';
import { smilesColumn } from './smiles-column.ts';
import { columnOf, type Condition } from './where.ts';

/** Rows that one answer looks at: at most so many, and no more slices of them after so many milliseconds. */
const bounds = { rows: 20_000, slice: 500, ms: 1_500 };

/** Ends when whoever asked has gone: the processes are others' again. */
const whileAsked = (reply: FastifyReply): AbortSignal => {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort(new ApiError('conflict', 'The client has gone.')));
  return left.signal;
};

const matchesOf = async (
  chemistry: Chemistry,
  smiles: readonly string[],
  smarts: string,
  asking: { urgent: boolean; signal: AbortSignal },
): Promise<(boolean | null)[]> => {
  const matched = await chemistry.matchSubstructure(smiles, smarts, asking);
  if (!matched.ok) throw new ApiError('invalid_value', matched.message, { param: 'smarts' });
  return matched.matches;
};

/**
 * All lines that the filter lets pass and whose molecule holds a substructure, as `Selection.lines` has them. Some 10,000
 * molecules a second; whoever waits at a screen goes before.
 */
export const linesHeld = async (
  { results, chemistry }: { results: ResultReader; chemistry: Chemistry },
  table: ReadyTable,
  { where, smarts }: { where: readonly Condition[]; smarts: string },
  reply: FastifyReply,
): Promise<string> => {
  const signal = whileAsked(reply);
  const smiles = smilesColumn(table.columns, 'smarts');
  const line = columnOf(table.columns, 'line', 'smarts');
  const path = await results.path(table);
  const [{ most }] = (await results.ask({ sql: `select max(line)::double as most from ${tableOf(path)}`, values: [] })) as [
    { most: number | null },
  ];
  const held = Buffer.alloc((most ?? 0) + 1, '0');
  for (let last = 0; ;) {
    const after: Condition = { column: line, op: '>', values: [String(last)] };
    const sort = [{ column: line, descending: false }];
    const asked = { columns: [line, smiles], where: [...where, after], sort, offset: 0, limit: bounds.rows };
    const rows = await results.ask(selectSql(path, asked, forJson));
    const texts = rows.map((row) => (row[smiles.name] as string | null) ?? '');
    const matches = await matchesOf(chemistry, texts, smarts, { urgent: false, signal });
    for (const [i, row] of rows.entries()) if (matches[i] === true) held.write('1', row['line'] as number, 'latin1');
    if (rows.length < bounds.rows) return held.toString('latin1');
    last = rows.at(-1)!['line'] as number;
  }
};

interface Found {
  /** Lines whose molecule holds it, in order. */
  lines: number[];
  looked: number;
  without: number;
}

/** Matches row after row until `limit` hold it, no row is left, or the bounds are reached. */
const look = async (
  chemistry: Chemistry,
  rows: readonly { line: number; smiles: string }[],
  { smarts, limit, signal }: { smarts: string; limit: number; signal: AbortSignal },
): Promise<Found> => {
  const until = performance.now() + bounds.ms;
  const found: Found = { lines: [], looked: 0, without: 0 };
  for (let at = 0; at < rows.length && (at === 0 || performance.now() < until); at += bounds.slice) {
    const slice = rows.slice(at, at + bounds.slice);
    const asked = slice.map(({ smiles }) => smiles);
    for (const [i, holds] of (await matchesOf(chemistry, asked, smarts, { urgent: true, signal })).entries()) {
      found.looked++;
      if (holds === null) found.without++;
      else if (holds) found.lines.push(slice[i]!.line);
      if (found.lines.length === limit) return found;
    }
  }
  return found;
};

/**
 * `/v1/batches/{id}/results/molecules`: a substructure looked for in all of a table. A table may have millions of molecules
 * and RDKit needs a fraction of a millisecond for each, so that an answer is bounded in time and says how far it came.
 */
export const substructureRoutes = (app: App, { results, chemistry }: { results: ResultReader; chemistry: Chemistry }): void => {
  app.get(
    '/v1/batches/:id/results/molecules',
    {
      schema: {
        summary: 'Rows whose molecule holds a substructure',
        description:
          'Looks through the rows that the filter lets pass, in order, from `offset` on: until `limit` of them are found, or for some 2 seconds, 20,000 rows at most. `looked` says how many that were, `next_offset` where to go on.',
        operationId: 'findBatchResultsMolecules',
        params: anyId,
        querystring: ResultsMoleculesQuery,
        response: { 200: ResultsMolecules, 202: ResultsPending },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const table = await results.find(request.identity, request.params.id, query.wait ?? patience);
      if (typeof table === 'string') return pending(reply, table);
      const smiles = smilesColumn(table.columns, 'smarts');
      const { limit = 50 } = query;
      const { columns, where, sort, offset } = selectionOf(table, query);
      const path = await results.path(table);
      const places = [columnOf(table.columns, 'line', 'smarts'), smiles];
      const rows = await results.ask(selectSql(path, { columns: places, where, sort, offset, limit: bounds.rows }, forJson));
      const found = await look(
        chemistry,
        rows.map((row) => ({ line: row['line'] as number, smiles: (row[smiles.name] as string | null) ?? '' })),
        { smarts: query.smarts, limit, signal: whileAsked(reply) },
      );
      const total = await totalOf(results, path, table.rows, where);
      const texts = await rowsAt(results, path, columns.map(forJson), found.lines);
      const next = offset + found.looked;
      const head = {
        object: 'list' as const,
        columns: [...columns],
        total,
        offset,
        looked: found.looked,
        without: found.without,
        next_offset: next < total && found.looked > 0 ? next : null,
      };
      return sendJson(
        reply,
        head,
        found.lines.map((line) => texts.get(line)!),
      );
    },
  );
};
