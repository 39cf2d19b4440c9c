/** One row of a table, or why there is none: every row of the input has exactly one, in its order. */
export type Row = { values: Record<string, unknown> } | { problem: string; values: Record<string, unknown> };

/**
 * Names of columns, each once, whatever its case (SQL knows none): the second `a` is `a_1`, one without a name is called by
 * its place.
 */
export const columnNames = (header: readonly string[]): string[] => {
  const taken = new Set<string>();
  return header.map((given, i) => {
    // SQL has no NUL, and JSON no half of a pair.
    const text = given.replaceAll('\0', '').toWellFormed().trim();
    const name = text === '' ? `column_${i + 1}` : text;
    let unique = name;
    for (let n = 1; taken.has(unique.toLowerCase()); n++) unique = `${name}_${n}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
};

/** Texts stay as they are written: what a column is its whole decides, and `1.50` among words is no `1.5`. */
export const textOf = (text: string): string | null => (text === '' ? null : text);

/**
 * A text of a table that has no types as the value it stands for: a number where writing the number gives the text again
 * up to how it is written, so that `007`, `1e5` in a name and a number of 20 digits stay texts; null where it is empty.
 */
export const valueOf = (text: string): string | number | null => {
  if (text === '') return null;
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?$/.test(text)) return text;
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? text : value;
};
