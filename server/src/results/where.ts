import { ApiError } from '../lib/errors.ts';
import { didYouMean } from '../lib/suggest.ts';
import type { Column } from './layout.ts';

/**
 * What rows are asked for: `logS>-2,status=completed`. Conditions stand with commas between and must all hold. A name or
 * a value may stand in double quotes (a quote in it is doubled), and must where it holds one of `,|"` or an operator.
 *
 *   =  !=       is, is not (of text: exactly); several values with `|` between; `null` for no value
 *   >  >=  <  <=
 *   ~  !~       holds, does not hold this text, whatever its case
 */
export interface Condition {
  column: Column;
  op: '=' | '!=' | '>' | '>=' | '<' | '<=' | '~' | '!~';
  /** Null stands for no value. */
  values: (string | null)[];
}

const token = /\s*(?:"((?:[^"]|"")*)"|([^",|<>=!~]*[^\s",|<>=!~]))\s*/y;
const operator = /(>=|<=|!=|!~|=|>|<|~)/y;

export const columnOf = (columns: readonly Column[], name: string, param: string): Column => {
  const found =
    columns.find((column) => column.name === name) ?? columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const names = columns.map((column) => column.name);
  throw new ApiError(
    'invalid_value',
    `The table has no column '${name.slice(0, 100)}'.${didYouMean(name, names)} It has ${names.slice(0, 30).join(', ')}.`,
    { param },
  );
};

export const parseWhere = (text: string, columns: readonly Column[]): Condition[] => {
  let at = 0;
  const wrong = (what: string): ApiError =>
    new ApiError('invalid_value', `${what} at character ${at + 1} of the filter; it looks like logS>-2,status=completed.`, {
      param: 'where',
    });
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const word = (): { text: string; quoted: boolean } | null => {
    const match = read(token);
    return match && { text: match[1]?.replaceAll('""', '"') ?? match[2]!, quoted: match[1] !== undefined };
  };
  const conditions: Condition[] = [];
  while (text.slice(at).trim() !== '') {
    const name = word();
    if (!name) throw wrong('A name of a column is missing');
    const op = read(operator)?.[1] as Condition['op'] | undefined;
    if (!op) throw wrong('One of = != > >= < <= ~ !~ is missing');
    const column = columnOf(columns, name.text, 'where');
    const values: (string | null)[] = [];
    do {
      const value = word();
      if (!value) throw wrong('A value is missing');
      values.push(!value.quoted && value.text === 'null' ? null : value.text);
    } while (text[at] === '|' && ++at);
    if (at < text.length && text[at] !== ',') throw wrong('A comma is missing');
    at++;
    conditions.push(checked({ column, op, values }));
  }
  return conditions;
};

const isNumber = (text: string): boolean => /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text);

const checked = (condition: Condition): Condition => {
  const { column, op, values } = condition;
  const refuse = (message: string): ApiError => new ApiError('invalid_value', message, { param: 'where' });
  if (op !== '=' && op !== '!=') {
    if (values.length > 1) throw refuse(`'${op}' takes one value.`);
    if (values[0] === null) throw refuse(`'${op}' takes a value; for rows without one say ${column.name}=null.`);
  }
  const texts = op === '~' || op === '!~';
  for (const value of values) {
    if (value === null || texts) continue;
    if ((column.type === 'number' || column.type === 'integer') && !isNumber(value))
      throw refuse(`'${value.slice(0, 100)}' is no number, and the column '${column.name}' holds numbers.`);
    if (column.type === 'boolean' && value !== 'true' && value !== 'false')
      throw refuse(`The column '${column.name}' holds true and false.`);
  }
  return condition;
};
