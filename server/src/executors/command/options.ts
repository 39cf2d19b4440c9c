import { commonOptions, flag, oneOf, text, texts, whole, type Given, type Option } from '../options.ts';

/** A file written before the program starts. `content`: a template; `json`: the part of the request that a pointer names, as JSON. */
export interface InputFile {
  path: string;
  content?: string;
  json?: string;
}

/**
 * Files that the program leaves, by pattern: `out/*.cif`, `**` for folders of any depth. `{line}` and `{custom_id}` are those
 * of the request: where one process answers many, each pattern says by one of them whose its files are.
 */
export interface OutputPattern {
  pattern: string;
  /** What the file is called among the request's artifacts; absent: its own name. For patterns that match one file. */
  name?: string;
  /** Content type; absent: by the file's ending. */
  type?: string;
  /** Without such a file the request has failed, whatever the exit code says. */
  required?: boolean;
}

const isDict = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const onlyKeys = (value: Record<string, unknown>, ...known: string[]): boolean => Object.keys(value).every((key) => known.includes(key));
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** A path that stays in the folder it is meant from. */
export const isInside = (path: string): boolean =>
  path !== '' && !path.includes('\0') && !path.startsWith('/') && path.split('/').every((part) => part !== '..' && part !== '');

const isInput = (value: unknown): value is InputFile =>
  isDict(value) &&
  onlyKeys(value, 'path', 'content', 'json') &&
  isText(value['path']) &&
  isInside(value['path']) &&
  (isText(value['content']) || typeof value['json'] === 'string') &&
  (value['content'] === undefined) !== (value['json'] === undefined);

const isOutput = (value: unknown): value is OutputPattern =>
  isDict(value) &&
  onlyKeys(value, 'pattern', 'name', 'type', 'required') &&
  isText(value['pattern']) &&
  isInside(value['pattern']) &&
  (value['name'] === undefined || (isText(value['name']) && isArtifactName(value['name']))) &&
  (value['type'] === undefined || isText(value['type'])) &&
  (value['required'] === undefined || typeof value['required'] === 'boolean');

/** What an artifact may be called: it becomes part of a storage key and of an address. */
export const isArtifactName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name);

const listOf = <T>(expected: string, is: (value: unknown) => value is T): Option<T[]> => ({
  expected,
  is: (value): value is T[] => Array.isArray(value) && value.every(is),
});

const isCode = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 255;
const isVariable = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

/** What `options` of a model with `executor: command` may hold. */
export const commandOptions = {
  ...commonOptions,
  program: { ...text, required: true },
  args: listOf('a list of strings', (value): value is string => typeof value === 'string'),
  /** `chunk`: one process for many requests, which it reads from `requests.jsonl` and answers in `results.jsonl`. */
  per: oneOf('request', 'chunk'),
  files: listOf('a list of {path, content} or {path, json}, each path inside the working directory', isInput),
  outputs: listOf('a list of {pattern, name?, type?, required?}, each pattern inside the working directory', isOutput),
  /** The file whose JSON is the answer's `outputs`; absent: standard output, where it is a JSON object. */
  result: { expected: 'the path of a file inside the working directory', is: (value): value is string => isText(value) && isInside(value) },
  /** The same body gives the same answer and files: requests that are the same may share them. */
  deterministic: flag,
  env: {
    expected: 'a mapping of names of variables to texts',
    is: (value): value is Record<string, string> =>
      isDict(value) && Object.entries(value).every(([name, text]) => isVariable(name) && typeof text === 'string' && !text.includes('\0')),
  },
  /** Variables of the worker's own environment that it sees besides PATH, LANG and TZ; Sluice's own cannot be among them. */
  pass_env: {
    expected: "a list of names of variables, none of them Sluice's own",
    is: (value): value is string[] =>
      Array.isArray(value) && value.every((name) => isText(name) && isVariable(name) && !/^SLUICE_|^PG/.test(name)),
  },
  timeout_ms: whole(1, 7 * 24 * 3_600_000),
  cpu_seconds: whole(1, 7 * 24 * 3_600),
  memory_mb: whole(16, 16_000_000),
  max_output_bytes: whole(1, 1_000_000_000_000),
  max_concurrency: whole(1, 1_000),
  /** Requests one process gets where `per` is `chunk`. */
  chunk_size: whole(1, 100_000),
  retryable_exits: listOf('a list of exit codes from 1 to 255', isCode),
  permanent_exits: listOf('a list of exit codes from 1 to 255', isCode),
  /** Those that say that memory ran out: of its GPU where `gpu_env` is given. The next attempt goes to a larger pool. */
  memory_exits: listOf('a list of exit codes from 1 to 255', isCode),
  /** Environment variables of the worker that say which GPUs the program may use, such as CUDA_VISIBLE_DEVICES. */
  gpu_env: texts,
} satisfies Record<string, Option>;

export type CommandOptions = Given<typeof commandOptions>;

const ofRequest = /\{(line|custom_id)\}/g;

/** Whether files that match are of one request. */
const isOfRequest = ({ pattern }: OutputPattern): boolean => pattern.search(ofRequest) >= 0;

/**
 * The pattern for one request. Null where its `custom_id` cannot be part of it, for it would mean other files or leave the
 * folder: then no file is its own. `{line}` fits always.
 */
export const patternFor = (pattern: string, { line, customId }: { line: number; customId: string }): string | null => {
  if (pattern.includes('{custom_id}') && /[\\/*?[\]{}()!+@|]/.test(customId)) return null;
  const filled = pattern.replaceAll(ofRequest, (_, name) => (name === 'line' ? String(line) : customId));
  return isInside(filled) ? filled : null;
};

/** What is wrong with options that are each right by themselves. */
export const commandProblems = ({ per, outputs = [] }: Pick<CommandOptions, 'per' | 'outputs'>): string[] =>
  per === 'chunk'
    ? (outputs ?? [])
        .filter((output) => !isOfRequest(output))
        .map(({ pattern }) => `option 'outputs': '${pattern}' must hold {line} or {custom_id}, for one process answers many requests.`)
    : [];
