import {
  CheckedMolecules,
  CheckMolecules,
  DepictQuery,
  MatchedMolecules,
  MatchMolecules,
  type CheckedMolecules as CheckedList,
  type MatchedMolecules as MatchedList,
} from '@sluice/contract';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Chemistry } from './chemistry.ts';
import type { Drawing } from './depict.ts';
import { Drawings, pictureOf } from './drawings.ts';
import type { Problem } from './smiles.ts';

/** Milliseconds that a page's picture waits by itself; a page that scrolls asks for it again. */
const patience = 50;

const refusal = ({ code, message }: Problem, param: string): ApiError => new ApiError(code, message, { param });

/** `/v1/depict` and `/v1/molecules/…`: chemistry for pages, which hold no data of anybody's. */
export const moleculeRoutes = (app: App, { chemistry }: { chemistry: Chemistry }): void => {
  const drawings = new Drawings(chemistry);

  app.get(
    '/v1/depict',
    {
      schema: {
        summary: 'A molecule drawn, as SVG',
        operationId: 'depictMolecule',
        querystring: DepictQuery,
        produces: ['image/svg+xml'],
        response: { 200: Type.String(), 304: Type.Null() },
      },
    },
    async (request, reply) => {
      const { smiles, w = 250, h = 200, theme = 'light', hl, errors = 'json', wait = patience } = request.query;
      const drawing: Drawing = { width: w, height: h, theme, ...(hl === undefined ? {} : { highlight: hl }) };
      const drawn = await drawings.draw(smiles, drawing, wait);
      if (drawn === null)
        throw new ApiError('unavailable', 'The molecule is being drawn; ask again.', {
          headers: { 'retry-after': '1', 'cache-control': 'no-store' },
        });
      if (!drawn.ok && errors === 'json') throw refusal(drawn, drawn.code === 'invalid_smarts' ? 'hl' : 'smiles');
      reply.headers({
        // It is the same for ever; what RDKit only failed at today is not.
        'cache-control': !drawn.ok && drawn.code === 'chemistry_failed' ? 'no-store' : 'private, max-age=31536000, immutable',
        etag: drawn.etag,
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        'x-content-type-options': 'nosniff',
      });
      if (request.headers['if-none-match'] === drawn.etag) return reply.code(304).send(null);
      return reply.type('image/svg+xml; charset=utf-8').send(pictureOf(drawn, drawing));
    },
  );

  app.post(
    '/v1/molecules/check',
    {
      schema: {
        summary: 'Whether texts are molecules, and which',
        operationId: 'checkMolecules',
        body: CheckMolecules,
        response: { 200: CheckedMolecules },
      },
    },
    async (request): Promise<CheckedList> => {
      const { smiles, names = false } = request.body;
      const checked = await chemistry.check(smiles, { names });
      const data = checked.map((row, index): CheckedList['data'][number] =>
        row.ok
          ? {
              index,
              valid: true,
              smiles: row.smiles,
              inchikey: row.inchikey,
              fragments: row.fragments,
              flags: row.flags,
              name: row.name ?? null,
              error: null,
            }
          : {
              index,
              valid: false,
              smiles: null,
              inchikey: null,
              fragments: null,
              flags: [],
              name: null,
              error: { code: row.code, message: row.message, ...(row.position === undefined ? {} : { position: row.position }) },
            },
      );
      return { object: 'list', valid: data.filter(({ valid }) => valid).length, data };
    },
  );

  app.post(
    '/v1/molecules/match',
    {
      schema: {
        summary: 'Which molecules hold a substructure, or are like another; their scaffolds',
        operationId: 'matchMolecules',
        body: MatchMolecules,
        response: { 200: MatchedMolecules },
      },
    },
    async (request): Promise<MatchedList> => {
      const { smiles, smarts, similar_to, threshold = 0, scaffolds = false } = request.body;
      if (smarts === undefined && similar_to === undefined && !scaffolds)
        throw new ApiError('missing_required_parameter', 'Give smarts, similar_to or scaffolds: one of them at least.', {
          param: 'smarts',
        });
      const [held, alike, scaffold] = await Promise.all([
        smarts === undefined ? null : chemistry.matchSubstructure(smiles, smarts),
        similar_to === undefined ? null : chemistry.similarity(smiles, similar_to),
        scaffolds ? chemistry.scaffold(smiles) : null,
      ]);
      if (held && !held.ok) throw refusal(held, 'smarts');
      if (alike && !alike.ok) throw refusal(alike, 'similar_to');
      const data = smiles.map((_, index): MatchedList['data'][number] => {
        const [holds, similarity, own] = [held?.matches[index], alike?.values[index], scaffold?.[index]];
        const matches = holds === null || similarity === null || own === null ? null : holds !== false && (similarity ?? 1) >= threshold;
        return { index, matches, similarity: similarity ?? null, scaffold: own ?? null };
      });
      return { object: 'list', matched: data.filter(({ matches }) => matches).length, data };
    },
  );
};
