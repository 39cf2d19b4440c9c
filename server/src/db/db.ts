import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { backoff } from '../lib/backoff.ts';
import type { Statement } from './sql.ts';

/** bigint columns hold sizes, counts and sequence numbers: all below 2^53, so numbers. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
/** Of an array's type; the builtins leave arrays out. */
const arrayOf = (oid: number) => oid as typeof pg.types.builtins.INT8;
// Lists of them would stay texts, and be put one behind the other where they are added up.
pg.types.setTypeParser(arrayOf(1016), pg.types.getTypeParser(arrayOf(1007)));

/** What runs a statement: the pool, or one connection inside a transaction. The pool runs one that met a deadlock again. */
export interface Db {
  /** All rows. */
  many<Row>(statement: Statement): Promise<Row[]>;
  /** The one row, or null. More than one is a mistake and throws. */
  maybe<Row>(statement: Statement): Promise<Row | null>;
  /** The one row; none, or more than one, throws. */
  one<Row>(statement: Statement): Promise<Row>;
  /** How many rows the statement touched. */
  run(statement: Statement): Promise<number>;
  /**
   * Runs `work` in one transaction, again after a deadlock or serialization failure (at most 5 times, a little later
   * each time), so `work` must have no effect outside the database. Inside a transaction it simply joins it.
   */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
}

export interface Pool extends Db, AsyncDisposable {
  /** The address, for a listener's own connection. Holds the password: never logged. */
  readonly url: string;
  end(): Promise<void>;
}

export interface PoolOptions {
  url: string;
  /** Shown in pg_stat_activity. */
  name: string;
  max?: number;
  /** Milliseconds a statement may take before the server ends it; a fifth more, and the connection counts as dead. */
  statementTimeout?: number;
  /** Every statement finds its rows by indexes, whatever the tables' statistics say when it is planned (see `prepared`). */
  indexed?: boolean;
  onError?: (error: Error) => void;
}

type Queryable = Pick<pg.Pool | pg.PoolClient, 'query'>;

/**
 * What the planner keeps off while there is an index that gives the rows, in their order. Up to PostgreSQL 17 what cannot be
 * kept off costs it ten thousand million, for which it would compile the statement: seconds, each time.
 */
const byIndexes = ['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_incremental_sort', 'jit']
  .map((setting) => `-c ${setting}=off`)
  .join(' ');

const queryOf = ({ text, values, name }: Statement): pg.QueryConfig => ({ text, values, ...(name !== undefined && { name }) });

const methods = (client: Queryable): Omit<Db, 'transaction'> => {
  const rows = async <Row>(statement: Statement): Promise<Row[]> => (await client.query<Row & pg.QueryResultRow>(queryOf(statement))).rows;
  const maybe = async <Row>(statement: Statement): Promise<Row | null> => {
    const found = await rows<Row>(statement);
    if (found.length > 1) throw new Error(`one row expected, ${found.length} came: ${statement.text}`);
    return found[0] ?? null;
  };
  return {
    many: rows,
    maybe,
    one: async <Row>(statement: Statement) => {
      const row = await maybe<Row>(statement);
      if (row === null) throw new Error(`one row expected, none came: ${statement.text}`);
      return row;
    },
    run: async (statement) => (await client.query(queryOf(statement))).rowCount ?? 0,
  };
};

/** Tries at what the server rolled back, each a little later than the one before. */
const tries = 5;
const pause = (attempt: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** attempt));

/** 40001 serialization_failure, 40P01 deadlock_detected: the server rolled back and asks for another try. */
const again = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01');

/** The same, each a transaction of its own: a statement that locks several rows can meet another that has them in another order. */
const persistent = (plain: Omit<Db, 'transaction'>): Omit<Db, 'transaction'> => {
  const persist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!again(error) || attempt === tries) throw error;
      }
      await pause(attempt);
    }
  };
  return {
    many: <Row>(statement: Statement) => persist(() => plain.many<Row>(statement)),
    maybe: <Row>(statement: Statement) => persist(() => plain.maybe<Row>(statement)),
    one: <Row>(statement: Statement) => persist(() => plain.one<Row>(statement)),
    run: (statement) => persist(() => plain.run(statement)),
  };
};

/** Whether an error says that the database could not be reached or is going away, as against refusing a statement. */
export const isUnreachable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|57P0[123]|08\d\d\d|53300)$/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|not queryable|the database system is/i.test(
      error.message,
    )
  );
};

/** Milliseconds for which a start waits for a database that is not there yet, or not again. */
const patience = 30_000;

/**
 * Work that may be begun anew, again and again while the database cannot be reached: for starts, since what starts with
 * a machine starts in any order. Throws what was wrong last after `ms`, or when told to stop.
 */
export const whenReachable = async <T>(
  work: () => Promise<T>,
  { onWait, stop, ms = patience }: { onWait: (error: Error) => void; stop?: AbortSignal; ms?: number },
): Promise<T> => {
  const end = performance.now() + ms;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isUnreachable(error) || performance.now() > end || stop?.aborted) throw error;
      if (attempt === 1) onWait(error as Error);
      await delay(backoff(attempt, { base: 100, cap: 1_000 }), undefined, { signal: stop }).catch(() => {});
    }
  }
};

export const openPool = ({ url, name, max = 8, statementTimeout = 30_000, indexed = false, onError }: PoolOptions): Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `sluice ${name}`,
    max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeout,
    // The server's own limit does not help where it no longer hears us: a half-open connection never errors.
    query_timeout: statementTimeout * 1.2,
    idle_in_transaction_session_timeout: 30_000,
    ...(indexed && { options: byIndexes }),
  });
  // An idle connection that dies emits here; without a listener it would end the process.
  pool.on('error', (error) => onError?.(error));
  // One that is given up is nobody's any more: its last words, when the server goes down meanwhile, would end it as well.
  pool.on('connect', (client) => void client.on('error', () => {}));

  const transaction = async <T>(work: (tx: Db) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const client = await pool.connect();
      let broken: Error | undefined;
      // The pool listens to idle connections only; one that dies in our hands would end the process.
      const lost = (error: Error): void => void (broken = error);
      client.on('error', lost);
      try {
        await client.query('begin');
        const tx: Db = { ...methods(client), transaction: (inner) => inner(tx) };
        const result = await work(tx);
        await client.query('commit');
        return result;
      } catch (error) {
        if (isUnreachable(error)) broken ??= error as Error;
        else await client.query('rollback').catch(lost);
        if (!again(error) || attempt === tries) throw error;
      } finally {
        client.off('error', lost);
        client.release(broken);
      }
      await pause(attempt);
    }
  };

  const end = async () => {
    if (!pool.ended) await pool.end();
  };
  return { ...persistent(methods(pool)), transaction, url, end, [Symbol.asyncDispose]: end };
};
