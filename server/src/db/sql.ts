import { createHash } from 'node:crypto';

/**
 * A statement and its values. `sql` binds every `${value}` as a parameter; another `Statement` as a value is spliced
 * in with its own parameters. There is no other way to put text into a statement.
 */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
  /** Under this name a connection has it parsed and planned once; absent: it is each time. */
  readonly name?: string;
}

const isStatement = (value: unknown): value is Statement & { [brand]: true } =>
  typeof value === 'object' && value !== null && brand in value;

const brand = Symbol('sql');

export const sql = (strings: TemplateStringsArray, ...parts: unknown[]): Statement => {
  let text = strings[0]!;
  const values: unknown[] = [];
  parts.forEach((part, i) => {
    if (isStatement(part)) {
      text += part.text.replace(/\$(\d+)/g, (_, n: string) => `$${Number(n) + values.length}`);
      values.push(...part.values);
    } else {
      values.push(part);
      text += `$${values.length}`;
    }
    text += strings[i + 1]!;
  });
  return { text, values, [brand]: true } as Statement;
};

/** Nothing, where a part of a statement is optional. */
export const none = sql``;

const names = new Map<string, string>();

/**
 * A statement that a connection runs again and again: it keeps how it was read, and, after some times, how it was planned.
 * Of what a worker asks for each part of a chunk, reading and planning was six tenths of the server's time.
 *
 * Only for statements that find their rows by indexes, on a pool that says so (`indexed`): a plan that was made when a
 * table was empty is kept while it grows. Its text must be one of a few.
 */
export const prepared = (statement: Statement): Statement => {
  let name = names.get(statement.text);
  if (name === undefined) names.set(statement.text, (name = createHash('sha256').update(statement.text).digest('base64url').slice(0, 20)));
  return { ...statement, name };
};

/**
 * Joined to a statement, it makes its commit not wait for the disk: for what may be lost with the server, such as a
 * heartbeat. A lease that a crash made shorter runs out sooner than its worker believes, and is fenced as ever.
 */
export const unsynced = sql`(select set_config('synchronous_commit', 'off', true)) unsynced`;
