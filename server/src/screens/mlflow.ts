import { request } from 'undici';
import { messageOf } from '../lib/errors.ts';

/** Where runs are tracked: MLflow, by its REST API (2.0). */
export interface MlflowSettings {
  url: string;
  experiment: string;
  token: string | null;
}

/** A run as it is written. */
export interface TrackedRun {
  /** Names it: a run that has this tag is this run. */
  batchId: string;
  name: string;
  user: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number;
  status: 'FINISHED' | 'FAILED' | 'KILLED';
  params: Record<string, string | number | boolean>;
  metrics: Record<string, number>;
  tags: Record<string, string>;
}

/** Milliseconds a call may take. */
const patience = 10_000;
/** Characters of a parameter, and of a tag, that every version takes. */
const mostParam = 500;
const mostTag = 5_000;

class Refused extends Error {
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(`MLflow answered ${status}: ${message.slice(0, 300)}`);
    this.code = code;
  }
}

type Json = Record<string, unknown>;

export class Mlflow {
  readonly #settings: MlflowSettings;

  constructor(settings: MlflowSettings) {
    this.#settings = settings;
  }

  /**
   * Writes a run, its parameters and metrics, and ends it. A run of that batch that is there already is written on: whoever
   * died in between is followed by another. @returns its id
   */
  async track(run: TrackedRun): Promise<string> {
    const experiment = await this.#experiment();
    const id = (await this.#find(experiment, run.batchId)) ?? (await this.#create(experiment, run));
    const timestamp = run.endedAt;
    await this.#call('POST', 'runs/log-batch', {
      run_id: id,
      params: Object.entries(run.params).map(([key, value]) => ({ key, value: String(value).slice(0, mostParam) })),
      metrics: Object.entries(run.metrics).map(([key, value]) => ({ key, value, timestamp, step: 0 })),
      tags: tagsOf(run.tags),
    });
    await this.#call('POST', 'runs/update', { run_id: id, status: run.status, end_time: run.endedAt });
    return id;
  }

  async #experiment(): Promise<string> {
    const { experiment: name } = this.#settings;
    try {
      const found = await this.#call('GET', `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`);
      return idIn(found['experiment'], 'experiment_id');
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'RESOURCE_DOES_NOT_EXIST') throw error;
      return idIn(await this.#call('POST', 'experiments/create', { name }), 'experiment_id');
    }
  }

  async #find(experiment: string, batchId: string): Promise<string | null> {
    const { runs } = await this.#call('POST', 'runs/search', {
      experiment_ids: [experiment],
      filter: `tags.\`sluice.batch_id\` = '${batchId}'`,
      max_results: 1,
    });
    const [first] = Array.isArray(runs) ? (runs as { info?: unknown }[]) : [];
    return first === undefined ? null : idIn(first.info, 'run_id');
  }

  async #create(experiment: string, { batchId, name, user, startedAt }: TrackedRun): Promise<string> {
    const { run } = await this.#call('POST', 'runs/create', {
      experiment_id: experiment,
      start_time: startedAt,
      run_name: name,
      tags: tagsOf({ 'sluice.batch_id': batchId, 'mlflow.user': user, 'mlflow.runName': name }),
    });
    return idIn((run as { info?: unknown } | undefined)?.info, 'run_id');
  }

  async #call(method: 'GET' | 'POST', path: string, body?: Json): Promise<Json> {
    const { url, token } = this.#settings;
    const reply = await request(`${url.replace(/\/+$/, '')}/api/2.0/mlflow/${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patience),
    });
    const text = await reply.body.text();
    let value: Json = {};
    try {
      value = JSON.parse(text) as Json;
    } catch (error) {
      if (reply.statusCode < 300) throw new Error(`MLflow's reply is no JSON: ${messageOf(error)}`, { cause: error });
    }
    if (reply.statusCode >= 300) throw new Refused(reply.statusCode, textOr(value['error_code'], ''), textOr(value['message'], text));
    return value;
  }
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

const tagsOf = (tags: Record<string, string>) => Object.entries(tags).map(([key, value]) => ({ key, value: value.slice(0, mostTag) }));

const idIn = (value: unknown, name: string): string => {
  const id = (value as Json | undefined)?.[name];
  if (typeof id !== 'string' || id === '') throw new Error(`MLflow's reply has no ${name}`);
  return id;
};
