import { queryOptions } from '@tanstack/react-query';
import { bodyOf, api, call, type Api } from '../../lib/api.ts';
import type { Schema } from '../../lib/schema.ts';

export type Model = Api<'Model'>;
export type Details = Api<'ModelDetails'>;
export type Alias = Api<'ModelAlias'>;

/** Its status changes by itself. */
export const moving = ({ status }: Pick<Model, 'status'>): boolean => status === 'uploaded' || status === 'validating';

const soon = 1_000;

export const modelQuery = (model: string) =>
  queryOptions({
    queryKey: ['model', model],
    queryFn: () => bodyOf(api.GET('/v1/models/{model}', { params: { path: { model } } })),
    refetchInterval: ({ state }) => (state.data && moving(state.data) ? soon : false),
  });

export const versionQuery = (model: string, version: string) =>
  queryOptions({
    queryKey: ['model', model, 'version', version],
    queryFn: () => bodyOf(api.GET('/v1/models/{model}/versions/{version}', { params: { path: { model, version } } })),
    refetchInterval: ({ state }) => (state.data && moving(state.data) ? soon : false),
  });

export const versionsQuery = (model: string) =>
  queryOptions({
    queryKey: ['model', model, 'versions'],
    queryFn: () => bodyOf(api.GET('/v1/models/{model}/versions', { params: { path: { model } } })),
    refetchInterval: ({ state }) => (state.data?.data.some(moving) ? soon : false),
  });

export const aliasesQuery = (model: string) =>
  queryOptions({
    queryKey: ['model', model, 'aliases'],
    queryFn: () => bodyOf(api.GET('/v1/models/{model}/aliases', { params: { path: { model } } })),
  });

export const schemaQuery = (model: string) =>
  queryOptions({
    queryKey: ['model', model, 'schema'],
    queryFn: async () => (await (await call(`/v1/models/${encodeURIComponent(model)}/schema`)).json()) as Schema,
    staleTime: 60_000,
  });
