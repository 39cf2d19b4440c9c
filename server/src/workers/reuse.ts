import { answerKey } from '../cache/key.ts';
import { llmWords } from '../cache/llm-input.ts';
import { findResults, readBodies, type Result } from '../cache/results.ts';
import { asksForSampling } from '../cache/sampling.ts';
import { modeOf, pays, scopeOf, type DedupSettings } from '../policy/dedup.ts';
import { digestText, type Vectors } from '../cache/vectors.ts';
import type { Db } from '../db/db.ts';
import type { Executor, RunSignals } from '../executors/executor.ts';
import type { Copied } from '../formats/manifest.ts';
import type { Logger } from '../lib/log.ts';
import { messageOf } from '../lib/errors.ts';
import { requestId } from '../lib/ids.ts';
import type { Digests } from '../models/digest.ts';
import { priorOf, type Models, type ModelSpec } from '../models/models.ts';
import type { Lease } from '../requests/claim.ts';
import type { Storage } from '../storage/storage.ts';
import { filesOfAnswer } from './copied-files.ts';
import { embedder } from './embed.ts';
import type { Kept, KeepScope } from './gathering.ts';
import type { LoadedModels } from './loaded.ts';
import type { Same } from './same.ts';
import type { Hit } from './settler.ts';
import type { LineTask } from './tasks.ts';

export interface ReuseDeps {
  db: Db;
  storage: Storage;
  models: Models;
  log: Logger;
  loaded: LoadedModels;
  /** Shared by all leases of a worker. */
  digests: Digests;
  vectors: Vectors;
  settings: DedupSettings;
}

/** What a group comes to once it is known which answers are there already. */
export interface Sorted extends Same {
  /** Requests that need not be run, and those that follow them. */
  found: { task: LineTask; result: Result; similarity?: number }[];
  /** What the answers of the others are kept under, by line. */
  kept: Map<number, Kept>;
}

/**
 * Answers that other batches, or other chunks of this one, have given: looked up for a whole group at once, and copied.
 * Whatever goes wrong here costs the hits and nothing else. Two chunks that ask the same at the same time both run it: to
 * wait for another worker would need somebody to notice when that one dies.
 */
export class Reuse {
  readonly keep: KeepScope;
  readonly #deps: ReuseDeps;
  readonly #lease: Lease;
  readonly #model: ModelSpec;
  readonly #semantic: boolean;

  constructor(deps: ReuseDeps, lease: Lease, model: ModelSpec) {
    this.#deps = deps;
    this.#lease = lease;
    this.#model = model;
    this.keep = { scope: scopeOf(deps.settings.scope, lease.tenant, lease.user), ttlSeconds: deps.settings.ttlSeconds };
    this.#semantic = modeOf(lease.dedup, deps.settings) === 'semantic' && deps.settings.semanticModel !== null;
  }

  /** Takes out of the group what has an answer already. */
  async sort(executor: Executor, group: Same, signals: RunSignals): Promise<Sorted> {
    try {
      return await this.#sort(executor, group, signals);
    } catch (error) {
      this.failed(error);
      return { ...group, found: [], kept: new Map() };
    }
  }

  failed(error: unknown): void {
    this.#deps.log.warn({ batch: this.#lease.batchId, reason: messageOf(error) }, 'answers could not be looked up; they are made anew');
  }

  /** The answers that were found, for those who are to get them. */
  async *hits({ found, followers }: Sorted): AsyncGenerator<Hit<LineTask>> {
    const wanted = Map.groupBy(found, ({ result }) => result.key);
    const results = new Map(found.map(({ result }) => [result.key, result]));
    for await (const { result, body } of readBodies(this.#deps.storage, results.values())) {
      const now = Date.now();
      for (const { task, similarity } of wanted.get(result.key)!) {
        const files = await filesOfAnswer(this.#deps, result, body, { batchNo: this.#lease.batchNo, folder: task.folder });
        if (files === null) continue;
        const artifacts = files.length === 0 ? {} : { artifacts: files };
        for (const each of [task, ...(followers.get(task.line) ?? [])]) {
          const outcome = { ok: true as const, line: each.line, status: result.status, body, startedAt: now, ms: 0, ...artifacts };
          yield { task: each, outcome, copied: this.#copied(result, similarity) };
        }
      }
    }
  }

  async #sort(executor: Executor, group: Same, signals: RunSignals): Promise<Sorted> {
    const digest = await this.#deps.digests.of(this.#model);
    const followers = new Map(group.followers);
    const kept = new Map<number, Kept>();
    const leaders = new Map<string, LineTask>();
    const run: LineTask[] = [];
    for (const task of group.run) {
      const key = this.#keyOf(executor, task, digest);
      const leader = key === null ? undefined : leaders.get(key);
      if (leader !== undefined) {
        // Other bytes, and the same question all the same.
        followers.set(leader.line, [...(followers.get(leader.line) ?? []), task, ...(followers.get(task.line) ?? [])]);
        followers.delete(task.line);
        continue;
      }
      if (key !== null) {
        leaders.set(key, task);
        kept.set(task.line, { key });
      }
      run.push(task);
    }
    const results = leaders.size === 0 ? new Map<string, Result>() : await findResults(this.#deps.db, this.keep.scope, [...leaders.keys()]);
    const found: Sorted['found'] = [];
    const left: LineTask[] = [];
    for (const task of run) {
      const result = results.get(kept.get(task.line)?.key ?? '');
      if (result === undefined) left.push(task);
      else found.push({ task, result });
    }
    for (const { task } of found) kept.delete(task.line);
    const sorted = { run: left, followers, found, kept };
    return this.#semantic ? this.#sortSimilar(sorted, digest, signals) : sorted;
  }

  #keyOf(executor: Executor, task: LineTask, digest: string): string | null {
    const sampled = this.#lease.dedup.dedup_sampled !== true && asksForSampling(task.body);
    const identity = sampled ? null : (executor.identity?.(task) ?? null);
    // Thousands of parsed requests would be kept alive until they have run.
    task.forget();
    return identity === null ? null : answerKey(digest, identity);
  }

  /** The same for requests that are only similar: what they ask in words is embedded and held against what was asked before. */
  async #sortSimilar(sorted: Sorted, digest: string, signals: RunSignals): Promise<Sorted> {
    const { vectors, settings } = this.#deps;
    const { scope } = this.keep;
    const asked = sorted.run.flatMap((task) => {
      const words = sorted.kept.has(task.line) ? llmWords(task.url, task.body) : null;
      task.forget();
      return words === null ? [] : [{ task, ...words }];
    });
    const embed = asked.length === 0 ? null : await embedder(this.#deps, settings.semanticModel!, this.#lease.tenant);
    if (embed === null) return sorted;
    const space = digestText(digest, embed.digest);
    await vectors.refresh(scope, space);
    const embedded = await embed.all(
      asked.map(({ words }) => words),
      signals,
    );
    const near: { task: LineTask; key: string; similarity: number }[] = [];
    asked.forEach(({ task, rest: text }, i) => {
      const vector = embedded[i];
      if (!vector) return;
      const rest = digestText(text);
      const nearest = vectors.nearest(scope, space, rest, vector, settings.semanticThreshold);
      if (nearest !== null) near.push({ task, ...nearest });
      sorted.kept.get(task.line)!.similar = { space, rest, vector };
    });
    if (near.length === 0) return sorted;
    const results = await findResults(this.#deps.db, scope, [...new Set(near.map(({ key }) => key))]);
    const gone = new Set<LineTask>();
    for (const { task, key, similarity } of near) {
      const result = results.get(key);
      if (result === undefined) {
        vectors.forget(scope, space, key);
        continue;
      }
      sorted.found.push({ task, result, similarity });
      sorted.kept.delete(task.line);
      gone.add(task);
    }
    return { ...sorted, run: sorted.run.filter((task) => !gone.has(task)) };
  }

  /** Of an answer that another tenant asked for, who that was stays untold. */
  #copied({ tenant, batchNo, batchId, line }: Result, similarity: number | undefined): Copied {
    const request = tenant === this.#lease.tenant ? requestId(batchId, line) : null;
    if (similarity !== undefined) return { kind: 'semantic', request, similarity };
    return batchNo === this.#lease.batchNo ? { kind: 'batch', line } : { kind: 'cache', request };
  }
}

/** Null where a batch wants no such answers, or its model is too quick for them to pay. */
export const reuseOf = (deps: ReuseDeps, lease: Lease, model: ModelSpec): Reuse | null => {
  const asked = lease.dedup.dedup !== undefined;
  if (modeOf(lease.dedup, deps.settings) === 'off' || !pays(model.executor, lease.rate ?? priorOf(model), asked, deps.settings))
    return null;
  return new Reuse(deps, lease, model);
};
