import { readFile } from 'node:fs/promises';
import type { Fleet, Member } from './fleet.ts';

export interface KubernetesOptions {
  /** The API server: `https://kubernetes.default.svc`. Its certificate is trusted by `NODE_EXTRA_CA_CERTS`. */
  url: string;
  namespace: string;
  /** A service account's token, read at every call: it is replaced from time to time. */
  tokenFile: string;
  /** The pools that are Deployments here, and what they are called. */
  deployments: ReadonlyMap<string, string>;
}

/** What is read of `autoscaling/v1 Scale`. Source: the published OpenAPI of Kubernetes, `io.k8s.api.autoscaling.v1.Scale`. */
interface Scale {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

/** What is read of `v1 Pod`. */
interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  status?: { conditions?: { type: string; status: string }[]; phase?: string };
}

/** Milliseconds an answer may take. */
const patience = 10_000;

/**
 * Workers as Deployments, one a pool, by their `scale` subresource. Kubernetes chooses which pod goes; SIGTERM is its
 * notice, so `terminationGracePeriodSeconds` should be `worker.notice_seconds`. The service account needs `get` and
 * `patch` on `deployments/scale`, `list` and `delete` on `pods`.
 */
export class KubernetesFleet implements Fleet {
  readonly #options: KubernetesOptions;

  constructor(options: KubernetesOptions) {
    this.#options = options;
  }

  async setTarget(pool: string, workers: number): Promise<void> {
    const path = this.#scalePath(pool);
    const scale = await this.#call<Scale>('GET', path);
    if ((scale?.spec?.replicas ?? 0) === workers) return;
    await this.#call('PATCH', path, { spec: { replicas: workers } });
  }

  async drain(member: string): Promise<void> {
    await this.#call('DELETE', `/api/v1/namespaces/${this.#options.namespace}/pods/${encodeURIComponent(member)}`, undefined, [404]);
  }

  async list(): Promise<Member[]> {
    const members = await Promise.all([...this.#options.deployments.keys()].map((pool) => this.#members(pool)));
    return members.flat();
  }

  /** What runs goes on running: the Deployments are not this process's own. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async #members(pool: string): Promise<Member[]> {
    const scale = await this.#call<Scale>('GET', this.#scalePath(pool));
    const selector = scale?.status?.selector;
    if (!selector) return [];
    const query = new URLSearchParams({ labelSelector: selector });
    const pods = await this.#call<{ items: Pod[] }>('GET', `/api/v1/namespaces/${this.#options.namespace}/pods?${query.toString()}`);
    return (pods?.items ?? [])
      .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
      .map(({ metadata, status }) => {
        const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
        return { name: metadata.name, pool, state: metadata.deletionTimestamp ? 'stopping' : ready ? 'running' : 'starting' };
      });
  }

  #scalePath(pool: string): string {
    const name = this.#options.deployments.get(pool);
    if (name === undefined) throw new Error(`pool ${pool} has no Deployment`);
    return `/apis/apps/v1/namespaces/${this.#options.namespace}/deployments/${name}/scale`;
  }

  async #call<T>(method: string, path: string, body?: object, passes: readonly number[] = []): Promise<T | null> {
    const token = (await readFile(this.#options.tokenFile, 'utf8')).trim();
    const reply = await fetch(this.#options.url.replace(/\/$/, '') + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body && { 'content-type': 'application/merge-patch+json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(patience),
    });
    const text = await reply.text();
    if (passes.includes(reply.status)) return null;
    // A `Status` says what was wrong in `message`.
    if (!reply.ok) throw new Error(`Kubernetes answered ${method} ${path} with ${reply.status}: ${messageIn(text)}`);
    return JSON.parse(text) as T;
  }
}

const messageIn = (text: string): string => {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return text.slice(0, 200);
  }
};
