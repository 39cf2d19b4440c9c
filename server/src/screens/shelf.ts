import type { ArchivedFile } from '@sluice/contract';
import { keysOfBatch, type Kept } from '../artifacts/artifacts.ts';
import { batchFolder, requestFolder } from '../artifacts/keys.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { typeOfName } from '../artifacts/types.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import type { Found } from './records.ts';

interface Screen {
  no: number;
  id: string;
  tenant_id: string;
  token: number;
}

interface Row {
  line: number;
  attempt: number;
  name: string;
  storage_key: string;
  content_type: string;
  bytes: number;
  sha256: string;
}

/** A file of the screen, with its path below `batches/{id}/`. */
export type Shelved = ArchivedFile & { key: string; name: string; ofBatch: boolean };

/**
 * The files of a screen in the places where people look for them. While a request ran, its files lay in a folder of its
 * lease; those of its newest attempt are moved to `jobs/{request}/`, and what belongs there and is missing is written.
 */
export class Shelf {
  readonly files: Shelved[] = [];
  readonly #db: Db;
  readonly #storage: Storage;
  readonly #screen: Screen;
  readonly #signal: AbortSignal;
  /** Where files lay before. */
  readonly #left = new Set<string>();

  constructor({ db, storage }: { db: Db; storage: Storage }, screen: Screen, signal: AbortSignal) {
    this.#db = db;
    this.#storage = storage;
    this.#screen = screen;
    this.#signal = signal;
  }

  /** Writes a file of the whole. */
  async put(path: string, parts: Iterable<string>): Promise<void> {
    const { tenant_id, id } = this.#screen;
    const key = `${batchFolder(tenant_id, id)}/${path}`;
    const bytes = inPieces(parts);
    const stored = await this.#storage.put(key, bytes, { digest: true, signal: this.#signal });
    const name = path.split('/').at(-1)!;
    this.files.push({ path, key, name, content_type: typeOfName(name), bytes: stored.bytes, sha256: stored.sha256!, ofBatch: true });
  }

  /** Brings the files of some ligands to their places. @returns them by line; `lost` where another gathers now */
  async settle(found: readonly Found[]): Promise<Map<number, Kept[]> | 'lost'> {
    const { no, tenant_id, id } = this.#screen;
    const lines = found.map(({ record }) => record.line);
    const rows = await this.#db.many<Row>(sql`
      select line, attempt, name, storage_key, content_type, bytes, sha256 from artifacts a
      where batch_no = ${no} and line = any(${lines}::int[])
        and attempt = (select max(attempt) from artifacts n where n.batch_no = a.batch_no and n.line = a.line)
      order by line, name`);
    const byLine = Map.groupBy(rows, ({ line }) => line);
    const settled = new Map<number, Kept[]>();
    const written: (Kept & { line: number; attempt: number })[] = [];
    const moved: { from: string; to: string; row: Row }[] = [];
    for (const one of found) {
      const { line } = one.record;
      const own = byLine.get(line) ?? [];
      const folder = requestFolder(tenant_id, id, line);
      for (const row of own) {
        const to = `${folder}/${row.name}`;
        if (row.storage_key !== to) moved.push({ from: row.storage_key, to, row });
      }
      const attempt = own[0]?.attempt ?? 0;
      for (const { name, value } of missing(one, new Set(own.map((row) => row.name)))) {
        const key = `${folder}/${name}`;
        const bytes = [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)];
        const stored = await this.#storage.put(key, bytes, { digest: true, signal: this.#signal });
        written.push({ line, attempt, name, key, type: typeOfName(name), bytes: stored.bytes, sha256: stored.sha256! });
      }
    }
    for (const { from, to } of moved) await this.#copy(from, to);
    if ((await this.#record(moved, written)) === 'lost') return 'lost';
    for (const { from } of moved) this.#left.add(from);
    for (const { record } of found) {
      const folder = requestFolder(tenant_id, id, record.line);
      const kept: Kept[] = [
        ...(byLine.get(record.line) ?? []).map(({ name, content_type, bytes, sha256 }) => ({
          name,
          key: `${folder}/${name}`,
          type: content_type,
          bytes,
          sha256,
        })),
        ...written.filter(({ line }) => line === record.line),
      ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      settled.set(record.line, kept);
      for (const { name, key, type, bytes, sha256 } of kept)
        this.files.push({ path: `jobs/${record.request}/${name}`, key, name, content_type: type, bytes, sha256, ofBatch: false });
    }
    return settled;
  }

  /** Removes what was moved, once all rows name the new places; not what an older attempt, or another line's, still names. */
  async tidy(): Promise<void> {
    if (this.#left.size === 0) return;
    const named = await keysOfBatch(this.#db, this.#screen.no);
    for (const key of this.#left) if (!named.has(key)) await this.#storage.delete(key);
  }

  async #copy(from: string, to: string): Promise<void> {
    try {
      await this.#storage.copy(from, to);
    } catch (error) {
      // Somebody who gathered before has moved it, and died before its row said so.
      if (!(error instanceof NotFound) || (await this.#storage.size(to)) === null) throw error;
    }
  }

  #record(
    moved: readonly { to: string; row: Row }[],
    written: readonly (Kept & { line: number; attempt: number })[],
  ): Promise<'kept' | 'lost'> {
    const { no, token } = this.#screen;
    return this.#db.transaction(async (tx) => {
      const held = await tx.maybe(sql`select from screens where batch_no = ${no} and token = ${token} for update`);
      if (held === null) return 'lost';
      if (moved.length > 0)
        await tx.run(sql`
          update artifacts a set storage_key = m.key
          from unnest(${moved.map(({ row }) => row.line)}::int[], ${moved.map(({ row }) => row.attempt)}::smallint[],
            ${moved.map(({ row }) => row.name)}::text[], ${moved.map(({ to }) => to)}::text[]) m (line, attempt, name, key)
          where a.batch_no = ${no} and a.line = m.line and a.attempt = m.attempt and a.name = m.name`);
      if (written.length > 0)
        await tx.run(sql`
          insert into artifacts (batch_no, line, attempt, name, storage_key, content_type, bytes, sha256)
          select ${no}, w.line, w.attempt, w.name, w.key, w.type, w.bytes, w.sha256
          from unnest(${written.map(({ line }) => line)}::int[], ${written.map(({ attempt }) => attempt)}::smallint[],
            ${written.map(({ name }) => name)}::text[], ${written.map(({ key }) => key)}::text[], ${written.map(({ type }) => type)}::text[],
            ${written.map(({ bytes }) => bytes)}::bigint[], ${written.map(({ sha256 }) => sha256)}::text[])
            w (line, attempt, name, key, type, bytes, sha256)
          on conflict do nothing`);
      return 'kept';
    });
  }
}

/** What each ligand has besides what its request left. */
const missing = ({ record, asked, outputs }: Found, there: ReadonlySet<string>): { name: string; value: unknown }[] => {
  const { object: _, structure_path: __, plddt_path: ___, ...own } = record;
  const { request, id, name, model_version, executor, tool, params, msa, attempts, seconds, worker, pool, state, status, error } = record;
  const all = [
    { name: 'input.json', value: { custom_id: id, method: 'POST', url: '/v1/predict', body: asked } },
    { name: 'results.json', value: { ...own, ...(Object.keys(outputs).length > 0 && { outputs }) } },
    {
      name: 'metadata.json',
      value: {
        request,
        custom_id: id,
        name,
        model: model_version,
        executor,
        tool,
        parameters: params,
        msa,
        attempts,
        seconds,
        worker,
        pool,
        state,
        status,
        error,
      },
    },
  ];
  return all.filter((file) => !there.has(file.name));
};

/** Text in buffers of about a megabyte, however small its parts are. */
function* inPieces(parts: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length < 1 << 20) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
