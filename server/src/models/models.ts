import { ApiError } from '../lib/errors.ts';

export type ExecutorName = 'echo' | 'openai' | 'onnx';

/** One version of a model, and how it is run. */
export interface ModelSpec {
  /** Letters, digits, `.`, `_`, `-` and `/`. */
  name: string;
  /** Semantic: `1.10.0`. */
  version: string;
  executor: ExecutorName;
  /** The executor's own; checked when the configuration is read. */
  options: Readonly<Record<string, unknown>>;
}

/** `name@version`: how chunks, segments and rates name a model. */
export const modelKey = (model: Pick<ModelSpec, 'name' | 'version'>): string => `${model.name}@${model.version}`;

const llm = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'];

/** What each executor answers; null: every endpoint. */
export const executorEndpoints: Record<ExecutorName, readonly string[] | null> = { echo: null, openai: llm, onnx: ['/v1/predict'] };

/** Requests a second of one worker, before anything was measured: from it come the first chunk sizes and estimates. */
export const priorRate: Record<ExecutorName, number> = { echo: 20_000, openai: 30, onnx: 400 };

/** Always there: answers at once with what it was sent. */
export const echo: ModelSpec = { name: 'echo', version: '1.0.0', executor: 'echo', options: {} };

const numbers = (version: string) => version.split('-')[0]!.split('.').map(Number);

/** Semantic order: 1.10.0 after 1.9.0; a pre-release before its release. Negative where `a` comes first. */
export const compareVersions = (a: string, b: string): number => {
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0);
  const [p, q] = [a.split('-').slice(1).join('-'), b.split('-').slice(1).join('-')];
  if (p === q) return 0;
  if (p === '' || q === '') return p === '' ? 1 : -1;
  const [left, right] = [p.split('.'), q.split('.')];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [l, r] = [left[i], right[i]];
    if (l === r) continue;
    if (l === undefined || r === undefined) return l === undefined ? -1 : 1;
    const [ln, rn] = [/^\d+$/.test(l), /^\d+$/.test(r)];
    if (ln && rn) return Number(l) - Number(r);
    if (ln !== rn) return ln ? -1 : 1;
    return l < r ? -1 : 1;
  }
  return 0;
};

/** The models that are declared; found by `name` (its newest version) or `name@version`. */
export class Models {
  readonly #byKey = new Map<string, ModelSpec>();
  readonly #newest = new Map<string, ModelSpec>();

  constructor(declared: readonly ModelSpec[]) {
    for (const model of [echo, ...declared]) {
      this.#byKey.set(modelKey(model), model);
      const newest = this.#newest.get(model.name);
      if (!newest || compareVersions(model.version, newest.version) >= 0) this.#newest.set(model.name, model);
    }
  }

  all(): ModelSpec[] {
    return [...this.#byKey.values()];
  }

  /** `name` or `name@version`; null where there is none. */
  find(reference: string): ModelSpec | null {
    return this.#newest.get(reference) ?? this.#byKey.get(reference) ?? null;
  }

  /** The same; what is not there is the client's error. */
  get(reference: string): ModelSpec {
    const model = this.find(reference);
    if (!model) throw new ApiError('model_not_found', `The model '${reference}' does not exist.`, { param: 'model' });
    return model;
  }
}

export const answers = (model: ModelSpec, endpoint: string): boolean => executorEndpoints[model.executor]?.includes(endpoint) ?? true;
