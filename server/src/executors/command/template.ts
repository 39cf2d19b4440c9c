import type { Json, Task } from '../executor.ts';

/** A request does not have what the template asks for: its own fault, said with the place. */
export class Unfilled extends Error {
  readonly pointer: string;

  constructor(pointer: string, why: string) {
    super(`${pointer === '' ? 'the body' : `body${pointer.replaceAll('/', '.')}`} ${why}`);
    this.pointer = pointer;
    this.name = 'Unfilled';
  }
}

/** What `{name}` stands for, besides pointers into the body. */
export interface Names {
  /** The working directory. */
  dir: string;
  model: string;
  version: string;
}

/** The value a JSON pointer (RFC 6901) names; undefined where there is none. */
export const pointed = (value: Json, pointer: string): Json | undefined => {
  let at: Json | undefined = value;
  if (pointer === '') return at;
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(key) ? at[Number(key)] : undefined;
    else if (typeof at === 'object' && at !== null) at = Object.hasOwn(at, key) ? at[key] : undefined;
    else return undefined;
  }
  return at;
};

const placeholder = /\{\{|\}\}|\{(dir|line|custom_id|attempt|model|version|\/[^{}?]*)(?:\?([^{}]*))?\}/g;

const filled = (template: string, task: Task, names: Names, check: (text: string, at: number) => void): string =>
  template.replaceAll(placeholder, (whole: string, name: string | undefined, otherwise: string | undefined, at: number) => {
    if (name === undefined) return whole[0]!;
    if (name === 'dir' || name === 'model' || name === 'version') return names[name];
    if (name === 'line' || name === 'attempt') return String(task[name]);
    const value = name === 'custom_id' ? task.customId : (pointed(task.body, name) ?? otherwise);
    if (value === undefined || value === null) throw new Unfilled(name, 'is missing.');
    if (typeof value === 'object') throw new Unfilled(name, 'must be a text, a number or a boolean.');
    const text = String(value);
    check(text, at);
    return text;
  });

/**
 * An argument: `{/inputs/seed}` is the body's field of that JSON pointer, `{/inputs/seed?1}` with a default, `{dir}` the
 * working directory, `{custom_id}`, `{line}`, `{attempt}`, `{model}`, `{version}`; `{{` and `}}` are braces. One template
 * is one argument, whatever the value holds. A value that would begin the argument may not begin with `-`: the program
 * would take it for an option that nobody wrote.
 */
export const renderArgument = (template: string, task: Task, names: Names): string =>
  filled(template, task, names, (text, at) => {
    if (text.includes('\0')) throw new Unfilled('', 'holds a NUL character, which no argument may.');
    if (at === 0 && text.startsWith('-')) throw new Unfilled(template.slice(1, -1), "must not begin with '-'.");
  });

/** The same for the content of a file, where any text may stand. */
export const renderText = (template: string, task: Task, names: Names): string => filled(template, task, names, () => {});

/** The part of the body that a pointer names, as JSON text. */
export const renderJson = (pointer: string, task: Task): string => {
  const value = pointed(task.body, pointer);
  if (value === undefined) throw new Unfilled(pointer, 'is missing.');
  return JSON.stringify(value);
};
