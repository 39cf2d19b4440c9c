import type { CloneBatch } from '@sluice/contract';
import type { Choice } from '../routes/choose.ts';
import type { BatchRow, PinnedModel, PinnedRoute } from './rows.ts';

/** Who runs a batch's lines that name no model; kept with it, so that a version made later changes nothing. */
export interface Pinned {
  models: PinnedModel[];
  route: PinnedRoute | null;
  /** It is a parent, though of one model alone: it continues one. */
  parent?: boolean;
}

export const nobody: Pinned = { models: [], route: null };

export const pin = ({ models, route }: Choice): Pinned => ({
  models: models.map(({ model, weight }) => ({ model: `${model.name}@${model.version}`, weight })),
  route,
});

/** Those of a batch that is there. */
export const pinnedOf = ({ kind, options }: Pick<BatchRow, 'kind' | 'options'>): Pinned => ({
  models: options.models ?? (options.model === undefined ? [] : [{ model: options.model, weight: 1 }]),
  route: options.route ?? null,
  ...(kind === 'parent' && { parent: true }),
});

export const isParent = ({ models, parent = false }: Pinned): boolean => parent || models.length > 1;

/** As `batches.options` holds them. */
export const pinnedOptions = (pinned: Pinned): Pick<BatchRow['options'], 'model' | 'models' | 'route'> => ({
  ...(isParent(pinned) ? { models: pinned.models } : pinned.models.length === 1 ? { model: pinned.models[0]!.model } : {}),
  ...(pinned.route !== null && { route: pinned.route }),
});

/** What a scan of the lines is to know of them. */
export const namedBy = ({ kind, options }: Pick<BatchRow, 'kind' | 'options'>): { model?: string; several?: boolean } => {
  const model = options.models?.[0]?.model ?? options.model;
  return { ...(model !== undefined && { model }), ...(kind === 'parent' && { several: true }) };
};

/** Whether a body says who is to run its lines: of a clone, others than those of the batch it is one of. */
export const choosesAnew = ({ model, models, route }: Pick<CloneBatch, 'model' | 'models' | 'route'>): boolean =>
  [model, models, route].some((asked) => asked !== undefined && asked !== null);

/** What results call each of some versions: the name, or `name@version` where two versions of one run. */
export const labelsOf = (models: readonly string[]): Map<string, string> => {
  const nameOf = (model: string): string => model.slice(0, model.lastIndexOf('@'));
  const names = models.map(nameOf);
  return new Map(models.map((model) => [model, names.filter((name) => name === nameOf(model)).length > 1 ? model : nameOf(model)]));
};
