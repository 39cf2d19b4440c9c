import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPool, type Pool } from '../../src/db/db.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openDisk, type Disk } from '../../src/storage/disk.ts';
import { runAsAdmin } from '../support/admin.ts';
import { apiKey, Client } from './client.ts';
import { keepHistory, type Sent } from './history.ts';
import { freePort, hasty, Process, type Role } from './process.ts';
import { until } from './until.ts';

export interface SiteOptions {
  /** A server on which a database may be made; or, with `own`, the very database. */
  postgres: string;
  own?: boolean;
  env?: Record<string, string>;
  /** Text of its sluice.yaml. */
  yaml?: string;
  /** The address processes use, where it is not the database's own: a proxy. */
  through?: (url: string) => Promise<string>;
}

/** A Sluice made of real processes on one database and one data directory. */
export class Site implements AsyncDisposable {
  readonly db: Pool;
  readonly storage: Disk;
  readonly folder: string;
  readonly client: Client;
  readonly processes: Process[] = [];
  readonly env: Record<string, string>;
  readonly #drop: () => Promise<void>;

  private constructor(db: Pool, storage: Disk, folder: string, client: Client, env: Record<string, string>, drop: () => Promise<void>) {
    this.db = db;
    this.storage = storage;
    this.folder = folder;
    this.client = client;
    this.env = env;
    this.#drop = drop;
  }

  static async open({ postgres, own = false, env = {}, yaml, through }: SiteOptions): Promise<Site> {
    let url = postgres;
    let drop = async (): Promise<void> => {};
    if (!own) {
      const name = `sluice_crash_${randomBytes(6).toString('hex')}`;
      await runAsAdmin(postgres, `create database ${name}`);
      drop = () => runAsAdmin(postgres, `drop database if exists ${name} with (force)`);
      const at = new URL(postgres);
      at.pathname = `/${name}`;
      url = at.href;
    }
    await migrate(url);
    const db = openPool({ url, name: 'crash test', max: 4 });
    await keepHistory(db);
    const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
    if (yaml !== undefined) await writeFile(join(folder, 'sluice.yaml'), yaml);
    const storage = await openDisk(join(folder, 'data', 'storage'));
    const port = await freePort();
    const all = {
      ...hasty,
      SLUICE_DATABASE_URL: (await through?.(url)) ?? url,
      SLUICE_DATA_DIR: join(folder, 'data'),
      SLUICE_API_KEY: apiKey,
      SLUICE_PORT: String(port),
      ...env,
    };
    return new Site(db, storage, folder, new Client(port), all, drop);
  }

  /** Starts a process and waits until it is ready. */
  async start(role: Role, env: Record<string, string> = {}): Promise<Process> {
    const process = this.begin(role, env);
    await process.said(role === 'all' ? /Sluice is ready/ : /"msg":"ready/);
    return process;
  }

  begin(role: Role, env: Record<string, string> = {}): Process {
    const process = new Process(role, { ...this.env, ...env }, this.folder);
    this.processes.push(process);
    return process;
  }

  running(role?: Role): Process[] {
    return this.processes.filter((p) => !p.over && (role === undefined || p.role === role));
  }

  /** The end of every process's log, for whoever reads of a failure. */
  logs(): string {
    return this.processes.map((p) => `--- ${p.role} ${p.pid} ${p.over ? '(ended)' : ''}\n${p.log.slice(-1_500)}`).join('\n');
  }

  /** Resolves when every one of them has ended. */
  async ended(sent: readonly Sent[], ms = 120_000): Promise<void> {
    let left: unknown[] = [];
    try {
      await until(
        'every batch has ended',
        async () => {
          left = await this.db.many({
            text: `select id, status, expiring, leased_until, (select json_agg(json_build_object('state', c.state, 'n', c.n)) from
              (select state, count(*) as n from chunks where batch_no = b.no group by state) c) as chunks
              from batches b where id = any($1) and status not in ('completed', 'failed', 'expired', 'cancelled')`,
            values: [sent.map(({ id }) => id)],
          });
          return left.length === 0;
        },
        ms,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(left)}\n${this.logs()}`, { cause: error });
    }
  }

  /** How many lines have settled, of all batches. */
  async settled(): Promise<number> {
    const { count } = await this.db.one<{ count: number }>({
      text: 'select coalesce(sum(completed + failed), 0)::bigint as count from segments',
      values: [],
    });
    return count;
  }

  /**
   * Writes of processes that the schema refused. Statements carry their guards, by which a late one moves nothing; one
   * that gets as far as a constraint has lost its guard, and the constraint hides that.
   */
  refused(): string[] {
    return this.processes.flatMap(({ role, log }) =>
      log
        .split('\n')
        .filter((line) => /violates (check|not-null) constraint/.test(line))
        .map((line) => `${role}: ${line}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running().map((p) => (p.signal('SIGCONT'), p.kill())));
    const refused = this.refused();
    await this.db.end().catch(() => {});
    await this.#drop().catch(() => {});
    // Children of a supervisor that was killed notice a moment later, and write until then.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    if (refused.length > 0) throw new Error(`the schema had to refuse writes:\n${refused.join('\n')}`);
  }
}
