/**
 * A statement and its values. `sql` binds every `${value}` as a parameter; another `Statement` as a value is spliced
 * in with its own parameters. There is no other way to put text into a statement.
 */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
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

/**
 * Joined to a statement, it makes its commit not wait for the disk: for what may be lost with the server, such as a
 * heartbeat. A lease that a crash made shorter runs out sooner than its worker believes, and is fenced as ever.
 */
export const unsynced = sql`(select set_config('synchronous_commit', 'off', true)) unsynced`;
