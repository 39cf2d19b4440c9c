import { EventEmitter } from 'node:events';
import { ApiError } from '../lib/errors.ts';
import { modelKey } from './keys.ts';
import { parseReference } from './names.ts';
import { compareVersions } from './versions.ts';

export { modelKey } from './keys.ts';

export type ExecutorName = 'boltz' | 'chai' | 'command' | 'descriptors' | 'echo' | 'http' | 'openai' | 'oip' | 'onnx' | 'rfantibody';

/** A model's file in storage. */
export interface ModelFile {
  key: string;
  bytes: number;
  sha256: string;
}

/** What the column of an output is called, and measured in. */
export interface OutputColumn {
  title?: string;
  unit?: string;
}
export type OutputColumns = Readonly<Record<string, OutputColumn>>;

/** One version of a model, and how it is run. */
export interface ModelSpec {
  /** Letters, digits, `.`, `_`, `-` and `/`. */
  name: string;
  /** Semantic: `1.10.0`. */
  version: string;
  executor: ExecutorName;
  /** The executor's own; checked when the configuration is read. */
  options: Readonly<Record<string, unknown>>;
  /** A JSON Schema of its inputs, as the configuration has it. Absent: that of its executor, or of its file. */
  schema?: Readonly<Record<string, unknown>>;
  /** Of the outputs that it names; those of its executor are known besides (`registry/output-columns.ts`). */
  outputColumns?: OutputColumns | undefined;
  /** Whose it is, and who alone sees it. Absent: the configuration declares it, for everybody. */
  tenant?: string;
  /** Of a registered version: its row. A version that was deleted and made again has another. */
  no?: number;
  /** What its answers depend on; two of the same give the same answers. */
  digest?: string;
  /** Absent: it has none, or its options name one of this machine. */
  file?: ModelFile;
}

const llm = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'];

/** What each executor answers; null: every endpoint. */
export const executorEndpoints: Record<ExecutorName, readonly string[] | null> = {
  echo: null,
  openai: llm,
  oip: ['/v1/predict'],
  command: ['/v1/predict'],
  boltz: ['/v1/predict'],
  chai: ['/v1/predict'],
  http: ['/v1/predict'],
  rfantibody: ['/v1/predict'],
  descriptors: ['/v1/predict'],
  onnx: ['/v1/predict'],
};

/** The operator's own figure where the model has one. */
export const priorOf = ({ executor, options }: Pick<ModelSpec, 'executor' | 'options'>): number => {
  const own = options['prior_rate'];
  return typeof own === 'number' ? own : priorRate[executor];
};

/** Requests a second of one worker, before anything was measured: from it come the first chunk sizes and estimates. */
export const priorRate: Record<ExecutorName, number> = {
  echo: 20_000,
  openai: 30,
  oip: 200,
  onnx: 400,
  descriptors: 400,
  command: 0.2,
  boltz: 0.03,
  chai: 0.02,
  http: 0.05,
  rfantibody: 0.002,
};

/**
 * Requests that one process of the model answers together, whatever they take: chunks of it have so many where the batch
 * has them, or each of them would load the model. 1: each is run on its own.
 */
export const groupOf = ({ executor, options }: Pick<ModelSpec, 'executor' | 'options'>): number => {
  const asked = (name: string, otherwise: number): number => (typeof options[name] === 'number' ? options[name] : otherwise);
  if (executor === 'boltz') return asked('group_size', 20);
  return executor === 'command' && options['per'] === 'chunk' ? asked('chunk_size', 100) : 1;
};

/** Whether it is asked with a molecule and given its features, which each host keeps. */
export const takesFeatures = ({ executor, options }: Pick<ModelSpec, 'executor' | 'options'>): boolean =>
  executor === 'onnx' && options['preprocess'] === 'smiles-morgan2048-desc16';

/** Whether it is asked with a molecule. */
export const takesSmiles = (model: Pick<ModelSpec, 'executor' | 'options'>): boolean =>
  model.executor === 'descriptors' || takesFeatures(model);

/** Inputs without which a prediction by it fails, as far as its configuration tells. */
export const neededInputs = ({ schema, ...model }: Pick<ModelSpec, 'executor' | 'options' | 'schema'>): string[] => {
  if (schema === undefined) return takesSmiles(model) ? ['smiles'] : [];
  const { required } = schema;
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
};

/** Answers take minutes, for which nobody holds a call: predictions of these become jobs. */
const slow: ReadonlySet<ExecutorName> = new Set(['boltz', 'chai', 'rfantibody', 'http']);

export const takesLong = ({ executor }: Pick<ModelSpec, 'executor'>): boolean => slow.has(executor);

/** Always there: answers at once with what it was sent. */
export const echo: ModelSpec = { name: 'echo', version: '1.0.0', executor: 'echo', options: {} };

/** What is registered, as of a revision. */
export interface Registered {
  revision: number;
  /** Versions that are run. Those that are not `ready` any more take nothing new. */
  versions: readonly { model: ModelSpec & { tenant: string; no: number }; ready: boolean }[];
  aliases: readonly { tenant: string; name: string; alias: string; version: string }[];
}

/** Reads what is registered; null where there is nothing newer than the revision that is known. */
export type Source = (known: number) => Promise<Registered | null>;

/** The versions that one owner's references may mean. */
class Shelf {
  readonly #versions = new Map<string, ModelSpec>();
  readonly #newest = new Map<string, ModelSpec>();
  readonly #aliases = new Map<string, string>();

  add(model: ModelSpec): void {
    this.#versions.set(`${model.name}@${model.version}`, model);
    const newest = this.#newest.get(model.name);
    if (!newest || compareVersions(model.version, newest.version) >= 0) this.#newest.set(model.name, model);
  }

  name(name: string, alias: string, version: string): void {
    this.#aliases.set(`${name}@${alias}`, version);
  }

  all(): ModelSpec[] {
    return [...this.#versions.values()];
  }

  find(reference: string): ModelSpec | null {
    const found = this.#newest.get(reference) ?? this.#versions.get(reference);
    if (found) return found;
    const { name, version, alias } = parseReference(reference) ?? {};
    if (name === undefined || version !== undefined) return null;
    if (alias === undefined) return this.#newest.get(name) ?? null;
    return this.#versions.get(`${name}@${this.#aliases.get(`${name}@${alias}`)}`) ?? null;
  }
}

/**
 * The models there are, as this process knows them: those of the configuration, seen by everybody, and those that
 * tenants registered, each seen by its tenant. What is registered is a snapshot, read again when `refresh` finds that
 * it has changed; `changed` is emitted then. A tenant's own model comes before a declared one of the same name.
 */
export class Models extends EventEmitter<{ changed: [] }> {
  readonly #declared = new Shelf();
  readonly #common: ModelSpec[];
  #own = new Map<string, Shelf>();
  #all: ModelSpec[];
  /** Every version this process ever knew: what was accepted for one is run to its end. */
  readonly #byKey = new Map<string, ModelSpec>();
  readonly #source: Source | null;
  #revision = -1;
  #reading: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(declared: readonly ModelSpec[], source: Source | null = null) {
    super();
    this.#common = [echo, ...declared];
    for (const model of this.#common) {
      this.#declared.add(model);
      this.#byKey.set(modelKey(model), model);
    }
    this.#all = this.#common;
    this.#source = source;
    this.setMaxListeners(0);
  }

  /** Every version that is run, of all tenants. */
  all(): readonly ModelSpec[] {
    return this.#all;
  }

  /** Those that `tenant` sees: the declared ones and its own that are ready. */
  seen(tenant: string): readonly ModelSpec[] {
    return [...this.#common, ...(this.#own.get(tenant)?.all() ?? [])];
  }

  /** Those of the configuration. */
  declared(): readonly ModelSpec[] {
    return this.#common;
  }

  /** By the key that chunks and rates name it with; null where this process never knew it. */
  keyed(key: string): ModelSpec | null {
    return this.#byKey.get(key) ?? null;
  }

  /**
   * What `tenant` means by `name` (the newest version that is ready), `name@version` or `name@alias`; null where there
   * is no such version, or it is not ready.
   */
  find(reference: string, tenant: string): ModelSpec | null {
    return this.#own.get(tenant)?.find(reference) ?? this.#declared.find(reference);
  }

  /** The same; what is not there is the client's error. */
  get(reference: string, tenant: string): ModelSpec {
    const model = this.find(reference, tenant);
    if (!model) throw new ApiError('model_not_found', `The model '${reference}' does not exist.`, { param: 'model' });
    return model;
  }

  /** The same; looks once whether it was registered a moment ago before it says that it does not exist. */
  async resolve(reference: string, tenant: string): Promise<ModelSpec> {
    const model = this.find(reference, tenant);
    if (model) return model;
    await this.refresh();
    return this.get(reference, tenant);
  }

  /** Reads what was registered before this call. Rejects where it cannot; what is known stays. */
  refresh(): Promise<void> {
    // One that is under way may have read before that.
    this.#next ??= this.#reading
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return (this.#reading = this.#read());
      });
    return this.#next;
  }

  async #read(): Promise<void> {
    const registered = await this.#source?.(this.#revision);
    if (registered) this.#take(registered);
  }

  #take({ revision, versions, aliases }: Registered): void {
    const own = new Map<string, Shelf>();
    const shelf = (tenant: string): Shelf => {
      const found = own.get(tenant) ?? new Shelf();
      own.set(tenant, found);
      return found;
    };
    const all = [...this.#common];
    for (const { model, ready } of versions) {
      const known = this.#byKey.get(modelKey(model));
      // The same object while it is the same version, so that it can be compared.
      const kept = known?.no === model.no ? known : model;
      // Said of it, and no part of how it is run.
      kept.outputColumns = model.outputColumns;
      this.#byKey.set(modelKey(model), kept);
      if (ready) shelf(model.tenant).add(kept);
      all.push(kept);
    }
    for (const { tenant, name, alias, version } of aliases) shelf(tenant).name(name, alias, version);
    this.#own = own;
    this.#all = all;
    this.#revision = revision;
    this.emit('changed');
  }
}

export const answers = (model: ModelSpec, endpoint: string): boolean => executorEndpoints[model.executor]?.includes(endpoint) ?? true;
