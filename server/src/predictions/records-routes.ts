import { Readable } from 'node:stream';
import { ExportPredictions, ListPredictions, PredictionRecord, PredictionRecordPage } from '@sluice/contract';
import { Type } from 'typebox';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { toCsv, toJsonl } from './records-export.ts';
import { allPredictions, getPrediction, listPredictions } from './records-read.ts';

/** `/v1/predictions`: records of what was answered at once. */
export const recordRoutes = (app: App, { db }: { db: Db }): void => {
  app.get(
    '/v1/predictions',
    {
      schema: {
        summary: 'List records of predictions, newest first',
        description: 'They appear a moment after the answer. What is kept, and how long, is an option of the model: `records`.',
        operationId: 'listPredictions',
        querystring: ListPredictions,
        response: { 200: PredictionRecordPage },
      },
    },
    async (request) => {
      const { limit = 20, ...query } = request.query;
      const { data, more } = await listPredictions(db, request.identity, { ...query, limit });
      return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: more };
    },
  );

  app.get(
    '/v1/predictions/export',
    {
      schema: {
        summary: 'Download records of predictions, oldest first',
        description: 'As JSONL, or as CSV in which no field is a formula.',
        operationId: 'exportPredictions',
        querystring: ExportPredictions,
        produces: ['application/x-ndjson', 'text/csv'],
      },
    },
    (request, reply) => {
      const { format = 'jsonl', ...filter } = request.query;
      const pages = allPredictions(db, request.identity, filter);
      reply.type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson');
      reply.header('content-disposition', `attachment; filename="predictions.${format}"`);
      return reply.send(Readable.from(format === 'csv' ? toCsv(pages) : toJsonl(pages), { objectMode: false }));
    },
  );

  app.get(
    '/v1/predictions/:id',
    {
      schema: {
        summary: 'Get the record of a prediction',
        operationId: 'getPrediction',
        params: Type.Object({ id: Type.String() }),
        response: { 200: PredictionRecord },
      },
    },
    (request): Promise<PredictionRecord> => getPrediction(db, request.identity, request.params.id),
  );
};
