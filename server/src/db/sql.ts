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
