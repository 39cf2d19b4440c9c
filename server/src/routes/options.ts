import { maxRouteModels, priorities, type RouteOptions } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { executorEndpoints } from '../models/models.ts';
import { validAt } from '../models/recommended.ts';
import { routesOf, type RouteDeps } from './read.ts';

export interface OptionLimits {
  maxLines: number;
  maxLineBytes: number;
  maxFileBytes: number;
}

export type OptionDeps = RouteDeps & { limits: OptionLimits; endpoints: readonly string[]; outputFormats: readonly string[] };

/** What can be chosen for a batch. */
export const routeOptions = async (deps: OptionDeps, identity: Identity): Promise<RouteOptions> => {
  const { models, limits, endpoints } = deps;
  const { routes, now } = await routesOf(deps, identity);
  const targets = [...Map.groupBy(routes, ({ target }) => target)].map(([target, of]) => {
    const general = of.find(({ series }) => series === null);
    return {
      target,
      series: of.flatMap(({ series }) => (series === null ? [] : [series])),
      any_series: general !== undefined,
      models: validAt(general?.models ?? [], now).flatMap(({ model }) => {
        const found = models.find(model, identity.tenant);
        return found === null ? [] : [`${found.name}@${found.version}`];
      }),
    };
  });
  const own = models.seen(identity.tenant).filter((model) => models.find(`${model.name}@${model.version}`, identity.tenant) === model);
  return {
    object: 'route.options',
    targets,
    models: own
      .map((model) => ({
        id: models.find(model.name, identity.tenant) === model ? model.name : `${model.name}@${model.version}`,
        name: model.name,
        version: model.version,
        executor: model.executor,
        endpoints: [...(executorEndpoints[model.executor] ?? endpoints)],
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    output_formats: [...deps.outputFormats],
    priorities: Object.keys(priorities),
    completion_windows: ['15m', '1h', '6h', '24h', '7d'],
    limits: {
      max_models: maxRouteModels,
      max_lines: limits.maxLines,
      max_line_bytes: limits.maxLineBytes,
      max_file_bytes: limits.maxFileBytes,
    },
  };
};

/** Seconds for which the options are kept: portals ask for them with every form. */
export const optionSeconds = 60;

/** The same, read at most once in `optionSeconds` for a tenant, and again after a change made here. */
export class KeptOptions {
  readonly #kept = new Map<string, { at: number; options: Promise<RouteOptions> }>();

  of(deps: OptionDeps, identity: Identity, now = performance.now()): Promise<RouteOptions> {
    const found = this.#kept.get(identity.tenant);
    if (found && now - found.at < optionSeconds * 1_000) return found.options;
    const options = routeOptions(deps, identity);
    if (this.#kept.size > 1_000) this.#kept.clear();
    this.#kept.set(identity.tenant, { at: now, options });
    options.catch(() => this.#kept.delete(identity.tenant));
    return options;
  }

  forget(tenant: string): void {
    this.#kept.delete(tenant);
  }
}
