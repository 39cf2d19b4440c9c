import { readFile } from 'node:fs/promises';
import type { Route, RouteChange } from '@sluice/contract';
import type { Context } from '../context.ts';
import { confirm } from '../confirm.ts';
import { Exit, exitCodes } from '../exit.ts';
import { targetOf } from '../settings.ts';
import { printFields, printJson, printTable, say, when, type Columns } from '../output.ts';

type Entry = Pick<Route['models'][number], 'model' | 'weight' | 'valid_from' | 'valid_until'>;

const day = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(/:00\.000Z$/, 'Z');

/** A model of a route as one text: `aqsol-logs@1.0.0 ×2 from 2026-12-01T00:00Z`. */
const shown = ({ model, weight, valid_from, valid_until }: Entry): string =>
  [
    model,
    ...(weight === 1 ? [] : [`×${weight}`]),
    ...(valid_from === null ? [] : [`from ${day(valid_from)}`]),
    ...(valid_until === null ? [] : [`until ${day(valid_until)}`]),
  ].join(' ');

const listed = (models: readonly Entry[] | null): string => (models === null ? '' : models.map(shown).join(', '));

const columns: Columns<Route> = {
  route: ({ target, series }) => (series === null ? target : `${target}/${series}`),
  models: ({ models }) => listed(models),
  changed: ({ updated_at }) => (updated_at === null ? '' : when(updated_at)),
  by: ({ updated_by, declared }) => (declared ? 'the configuration' : updated_by),
};

const changes: Columns<RouteChange> = {
  at: ({ at }) => when(at),
  by: ({ by }) => by,
  from: ({ from }) => listed(from),
  to: ({ to }) => listed(to),
  note: ({ note }) => note,
};

const addressOf = (route: string, tail = ''): string => {
  const { target, series } = targetOf(route);
  return `/v1/routes/${encodeURIComponent(target)}${tail}${series === undefined ? '' : `?series=${encodeURIComponent(series)}`}`;
};

const show = ({ terminal, fields }: Context, route: Route): void => {
  if (fields) return printJson(terminal, route, fields);
  printFields(terminal, {
    route: columns['route']!(route),
    ...Object.fromEntries(
      route.models.map((each, i) => [
        `model ${i + 1}`,
        `${shown(each)}${each.valid ? (each.resolved === null ? ', which is not ready' : `, now ${each.resolved}`) : ', not now'}`,
      ]),
    ),
    note: route.note,
    changed: route.declared ? 'in the configuration only' : `${when(route.updated_at)} by ${route.updated_by}`,
  });
};

export const list = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { data } = await client.get<{ data: Route[] }>('/v1/routes');
  if (fields) printJson(terminal, data, fields);
  else printTable(terminal, data, columns);
};

export const get = async (context: Context, route: string): Promise<void> =>
  show(context, await context.client.get<Route>(addressOf(route)));

/** `name[=weight]`: a model's name may have an `@`, never a `=`. */
const entryOf = (text: string): string | { model: string; weight: number } => {
  const [model, weight, ...rest] = text.split('=');
  if (weight === undefined) return text;
  if (rest.length > 0 || weight === '' || !(Number(weight) >= 0))
    throw new Exit(exitCodes.error, `${text}: a model, or MODEL=WEIGHT, was expected.`);
  return { model: model!, weight: Number(weight) };
};

export interface SetOptions {
  file?: string;
  note?: string;
}

export const set = async (context: Context, route: string, models: string[], { file, note }: SetOptions): Promise<void> => {
  if ((file === undefined) === (models.length === 0))
    throw new Exit(exitCodes.error, 'Say which models.', 'Name them, or give their list as JSON, with dates: --file models.json');
  const entries = file === undefined ? models.map(entryOf) : (JSON.parse(await readFile(file, 'utf8')) as unknown);
  show(context, await context.client.put<Route>(addressOf(route), { models: entries, ...(note !== undefined && { note }) }));
};

export const remove = async ({ client, terminal, fields, quiet }: Context, route: string, { yes }: { yes?: boolean }): Promise<void> => {
  await confirm(`Remove the route ${route}?`, yes);
  const removed = await client.delete<Record<string, unknown>>(addressOf(route));
  if (fields) printJson(terminal, removed, fields);
  else if (!quiet) say(terminal, `The route ${route} is removed.`);
};

export const history = async ({ client, terminal, fields }: Context, route: string): Promise<void> => {
  const { data } = await client.get<{ data: RouteChange[] }>(addressOf(route, '/history'));
  if (fields) printJson(terminal, data, fields);
  else printTable(terminal, data, changes);
};
