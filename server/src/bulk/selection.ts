import { type BulkAction, type BulkFilter, type BulkOptions, type CreateBulk } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { checkWindow, priorityOf } from '../batches/create.ts';
import { checkSelection } from '../deadletters/discard.ts';
import { ApiError } from '../lib/errors.ts';

/** What an operation acts on, and how. */
export interface Selection {
  tenant: string;
  on: 'batches' | 'requests';
  action: BulkAction;
  filter: BulkFilter | null;
  ids: readonly string[] | null;
  exclude: readonly string[];
  /** Seconds since the epoch. */
  asOf: number;
  options: BulkOptions;
}

type Field = keyof BulkFilter;

const filters: Record<Selection['on'], readonly Field[]> = {
  batches: ['status', 'endpoint', 'metadata', 'model', 'user', 'pool', 'priority', 'sla', 'error', 'q', 'since', 'until'],
  requests: ['batch', 'state', 'code', 'cause', 'model', 'user', 'q', 'since', 'until'],
};

const optionsOf: Record<BulkAction, readonly (keyof BulkOptions)[]> = {
  cancel: ['mode'],
  retry: ['completion_window', 'priority', 'again'],
  redrive: ['completion_window', 'priority', 'again'],
  priority: ['priority'],
  deadline: ['deadline', 'completion_window'],
};

const refuse = (message: string, param: string): ApiError => new ApiError('invalid_value', message, { param });

const checkOptions = (action: BulkAction, options: BulkOptions): void => {
  const known = new Set<string>(['per_second', ...optionsOf[action]]);
  const strange = Object.keys(options).find((name) => !known.has(name));
  if (strange !== undefined) throw refuse(`The action '${action}' has no option '${strange}'.`, `options.${strange}`);
  if (options.completion_window !== undefined) checkWindow(options.completion_window);
  if (action === 'priority' && options.priority === undefined)
    throw new ApiError('missing_required_parameter', "Missing required parameter: 'options.priority'.", { param: 'options.priority' });
  if (action !== 'deadline') return;
  if ((options.deadline === undefined) === (options.completion_window === undefined))
    throw refuse('Give either options.deadline or options.completion_window.', 'options.deadline');
};

/** What a body means, checked as far as that goes without looking at what there is. `asOf` stays open where it is not said. */
export const selectionOf = (identity: Identity, body: CreateBulk): Omit<Selection, 'asOf'> & { asOf: number | null } => {
  const { on, action, filter, ids, exclude = [], as_of, options = {} } = body;
  checkSelection(body);
  if (on === 'requests' && action !== 'retry' && action !== 'redrive')
    throw refuse(`The action '${action}' is one of batches; requests can be retried and redriven.`, 'action');
  const strange = Object.keys(filter ?? {}).find((field) => !filters[on].includes(field as Field));
  if (strange !== undefined) throw refuse(`'${strange}' does not choose ${on}. Known: ${filters[on].join(', ')}.`, `filter.${strange}`);
  for (const field of ['model', 'user'] as const)
    if (on === 'requests' && typeof filter?.[field] === 'object') throw refuse(`Requests are chosen by one ${field}.`, `filter.${field}`);
  if (action === 'redrive' && filter?.state?.some((state) => state !== 'dead_lettered'))
    throw refuse('A redrive is of dead letters only; a retry takes the other states.', 'filter.state');
  checkOptions(action, options);
  return {
    tenant: identity.tenant,
    on,
    action,
    filter: filter ?? null,
    ids: ids === undefined ? null : [...new Set(ids)],
    exclude,
    asOf: as_of ?? null,
    options: options.priority === undefined ? options : { ...options, priority: priorityOf({ priority: options.priority }) },
  };
};
