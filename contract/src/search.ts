import { batchStatuses } from './batches.ts';

/**
 * The text of a search box as a filter, and back: `kinase model:boltz-2 status:failed,expired meta.project:"lead op" created:<24h
 * error:timeout -status:cancelled`. What is no qualifier is searched for. Used by pages, and by the server, so that a box means
 * the same to both.
 */
export interface Search {
  /** Words in name and metadata, or the beginning of an id. */
  words: string[];
  status?: string[];
  model?: string[];
  owner?: string[];
  pool?: string[];
  priority?: string[];
  sla?: string[];
  /** Words in the cause of a failure. */
  error?: string[];
  metadata?: Record<string, string>;
  /** Created less than so long ago, and more: `90m`, `24h`, `7d`. */
  newer?: string;
  older?: string;
}

export interface ParsedSearch {
  search: Search;
  /** What could not be made sense of, in the words of whoever looks at the box; it is left out of the filter. */
  problems: string[];
}

export const slaNames = ['on_track', 'at_risk', 'met', 'breached'] as const;
export const priorityNames = ['normal', 'medium', 'high'] as const;

const lists = ['status', 'model', 'owner', 'pool', 'priority', 'sla', 'error'] as const;
type List = (typeof lists)[number];

/** Fields with a known few values: these can be told what they are not. */
const closed: Partial<Record<List, readonly string[]>> = { status: batchStatuses, sla: slaNames };

const isList = (name: string): name is List => (lists as readonly string[]).includes(name);

/** `a "b c":d,"e,f"` → tokens of pieces, each with whether it was quoted; quotes may stand anywhere in a token. */
interface Piece {
  text: string;
  quoted: boolean;
}

const tokens = (text: string): Piece[][] => {
  const all: Piece[][] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"?|(\s+)|([^\s"]+)/gsu;
  let current: Piece[] = [];
  for (const [, quoted, space, plain] of text.matchAll(pattern)) {
    if (space !== undefined) {
      if (current.length > 0) all.push(current);
      current = [];
    } else
      current.push(
        plain === undefined ? { text: (quoted ?? '').replaceAll(/\\(.)/gsu, '$1'), quoted: true } : { text: plain, quoted: false },
      );
  }
  return current.length > 0 ? [...all, current] : all;
};

const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('');

/** Values between commas that are not quoted. */
const valuesOf = (pieces: readonly Piece[]): string[] => {
  const values: Piece[][] = [[]];
  for (const piece of pieces) {
    if (piece.quoted) values.at(-1)!.push(piece);
    else
      piece.text.split(',').forEach((text, i) => {
        if (i > 0) values.push([]);
        if (text !== '') values.at(-1)!.push({ text, quoted: false });
      });
  }
  return values.filter((value) => value.length > 0).map(joined);
};

const windowPattern = /^[1-9]\d{0,5}[mhd]$/;

export const parseSearch = (text: string): ParsedSearch => {
  const search: Search = { words: [] };
  const problems: string[] = [];
  const add = (name: List, values: readonly string[]): void => {
    search[name] = [...new Set([...(search[name] ?? []), ...values])];
  };
  for (const pieces of tokens(text)) {
    const [head, ...rest] = pieces;
    const match = head!.quoted ? null : /^(-?)([a-z_]+(?:\.[^:\s]*)?):(.*)$/su.exec(head!.text);
    const whole = joined(pieces);
    if (match === null) {
      search.words.push(whole);
      continue;
    }
    const [, minus, name = '', first = ''] = match;
    const values = valuesOf([...(first === '' ? [] : [{ text: first, quoted: false }]), ...rest]);
    const value = joined([{ text: first, quoted: false }, ...rest]);
    if (name.startsWith('meta.')) {
      if (minus || name === 'meta.') problems.push(`'${whole}': metadata is asked for as meta.key:value.`);
      else search.metadata = { ...search.metadata, [name.slice(5)]: value };
    } else if (name === 'created') {
      const age = /^([<>])(.*)$/.exec(value);
      if (minus || age === null || !windowPattern.test(age[2]!)) problems.push(`'${whole}': write created:<24h, or created:>7d.`);
      else if (age[1] === '<') search.newer = age[2]!;
      else search.older = age[2]!;
    } else if (!isList(name)) {
      // A name may well hold a colon.
      search.words.push(whole);
    } else if (values.length === 0) problems.push(`'${whole}': a value is missing.`);
    else {
      const known = closed[name] ?? (name === 'priority' ? null : undefined);
      const wrong = values.find((each) =>
        known
          ? !known.includes(each)
          : known === null && !(priorityNames as readonly string[]).includes(each) && !/^(\d{1,2}|100)$/.test(each),
      );
      if (wrong !== undefined)
        problems.push(
          `'${whole}': ${name} is one of ${[...(known ?? priorityNames), ...(known ? [] : ['a number from 0 to 100'])].join(', ')}.`,
        );
      else if (!minus) add(name, values);
      else if (!known) problems.push(`'${whole}': only status and sla can be left out.`);
      else search[name] = (search[name] ?? known).filter((each) => !values.includes(each));
    }
  }
  return { search, problems };
};

/** As it has to be written so that it is read as one value. */
const quoted = (text: string, plain: RegExp): string => (plain.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);

/** The text that `parseSearch` reads as the same. */
export const formatSearch = ({ words, metadata = {}, newer, older, ...fields }: Search): string =>
  [
    ...words.map((word) => quoted(word, /^[^\s":]+$/u)),
    ...lists.flatMap((name) => {
      const values = fields[name];
      return values && values.length > 0 ? [`${name}:${values.map((value) => quoted(value, /^[^\s",]+$/u)).join(',')}`] : [];
    }),
    ...Object.entries(metadata).map(([key, value]) => `meta.${key}:${quoted(value, /^[^\s"]*$/u)}`),
    ...(newer === undefined ? [] : [`created:<${newer}`]),
    ...(older === undefined ? [] : [`created:>${older}`]),
  ].join(' ');
