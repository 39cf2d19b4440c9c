import { type Client } from '@sluice/contract/client';

/** What a check found. `fail` makes the deployment unfit; `warn` is worth a look. */
export interface Finding {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  ms: number;
  detail: string;
  /** What to do about it; null where nothing is wrong. */
  hint: string | null;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; undefined where it is none. */
  json: unknown;
  ms: number;
}

export interface Asked {
  /** Another key than the given one; null sends none. */
  key?: string | null;
  headers?: Record<string, string>;
  /** Sent as JSON; a string goes as it is. */
  body?: unknown;
}

/** A deployment being looked at, and what must be removed from it afterwards. */
export interface Site {
  client: Client;
  key: string | null;
  /** Milliseconds that work on the server may take: a batch, a cancellation. */
  patienceMs: number;
  /** One call, never repeated and never redirected; any status is an answer. */
  ask: (method: string, path: string, asked?: Asked) => Promise<Reply>;
  /** Ids of what the checks made, the newest last. */
  made: { batches: string[]; files: string[] };
}

/** One thing to look at: says what it found; throws where that is wrong. */
export interface Check {
  name: string;
  hint: string;
  /** A failure here makes all that follow pointless. */
  gate?: boolean;
  run: (site: Site) => Promise<string | Warning>;
}

export class Warning {
  readonly detail: string;

  constructor(detail: string) {
    this.detail = detail;
  }
}

/** Throws with `detail` unless it holds. */
export function must(holds: unknown, detail: string): asserts holds {
  if (!holds) throw new Error(detail);
}

/** Milliseconds for one simple call. */
const callMs = 10_000;

/** Ways to ask the server of `client`. */
export const siteOf = (client: Client, key: string | null, patienceMs: number): Site => ({
  client,
  key,
  patienceMs,
  made: { batches: [], files: [] },
  async ask(method, path, { key: other, headers = {}, body } = {}) {
    const bearer = other === undefined ? key : other;
    const since = performance.now();
    const reply = await fetch(client.url + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(callMs),
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      // Not JSON: for whoever asked to judge.
    }
    return { status: reply.status, headers: reply.headers, text, json, ms: performance.now() - since };
  },
});

const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message}: ${cause.message || ('code' in cause ? String(cause.code) : cause.name)}`
    : error.message;
};

/** Runs the checks one after the other, until `signal` aborts; `onFinding` sees each as it comes. */
export const runChecks = async (
  site: Site,
  checks: readonly Check[],
  signal: AbortSignal,
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const { name, hint, gate, run } of checks) {
    if (signal.aborted) break;
    const since = performance.now();
    const found = (status: Finding['status'], detail: string): void => {
      const finding = { name, status, ms: Math.round(performance.now() - since), detail, hint: status === 'ok' ? null : hint };
      findings.push(finding);
      onFinding(finding);
    };
    try {
      const said = await run(site);
      if (said instanceof Warning) found('warn', said.detail);
      else found('ok', said);
    } catch (error) {
      const left = checks.length - findings.length - 1;
      found('fail', gate ? `${wordsOf(error)}; ${left} more checks were not made` : wordsOf(error));
      if (gate) break;
    }
  }
  return findings;
};
