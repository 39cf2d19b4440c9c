import type { Identity } from '../auth/identity.ts';
import { ApiError } from '../lib/errors.ts';
import { executorEndpoints, type ExecutorName, type ModelSpec } from '../models/models.ts';
import { upstreamProblem, type Upstreams } from './upstreams.ts';

/** What the executors say of a model's options; handed in, because they stand to the right of this room. */
export interface ExecutorRules {
  /** What is wrong with them, a sentence each. */
  check: (model: Pick<ModelSpec, 'executor' | 'options'>) => string[];
  /** Those that are paths of the server. */
  paths: (executor: ExecutorName) => string[];
}

/** Models of these are files that come by upload; of the others, addresses, which an admin key may register. */
const uploaded: readonly string[] = ['onnx'];
const served: readonly string[] = ['openai', 'oip', 'http'];

/** What an uploaded model's owner may say of how it is run; the rest spends the operator's processors and memory. */
const forAll = new Set(['preprocess', 'outputs', 'slice', 'timeout_ms', 'max_attempts']);

/** Milliseconds one call may take without an admin key: a longer one holds a worker that others wait for. */
const mostTimeoutMs = 600_000;

export const takesFile = (executor: string): boolean => uploaded.includes(executor);

const isExecutor = (name: string): name is ExecutorName => Object.hasOwn(executorEndpoints, name);

const invalid = (param: string, message: string): ApiError => new ApiError('invalid_value', message, { param });

/** The executor, where this key may register models of it through the API; throws where it may not. */
export const executorFor = ({ role }: Identity, executor: string): ExecutorName => {
  const known = [...uploaded, ...served].filter(isExecutor);
  if (!isExecutor(executor) || !known.includes(executor)) {
    const declaredOnly = isExecutor(executor) || executor === 'command';
    throw invalid(
      'executor',
      declaredOnly
        ? `Models with executor '${executor}' are declared in sluice.yaml by the operator of the server; through the API: ${known.join(', ')}.`
        : `Invalid value: '${executor.slice(0, 100)}'. Supported values are: ${known.join(', ')}.`,
    );
  }
  if (served.includes(executor) && role !== 'admin')
    throw new ApiError(
      'permission_denied',
      `Models with executor '${executor}' are registered with an admin key; with this key: ${uploaded.join(', ')}.`,
      {
        param: 'executor',
      },
    );
  return executor;
};

const deepest = 64;

/** Throws where the database could not keep the value as it is: text with a NUL or half of a pair in it, or too deep. */
export const checkJson = (value: unknown, path: string, left = deepest): void => {
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed()))
    throw invalid(path, `'${path}' holds text with a NUL or half of a surrogate pair.`);
  if (typeof value !== 'object' || value === null) return;
  if (left === 0) throw invalid(path.split('.')[0]!, `'${path.split('.')[0]}' is nested deeper than ${deepest} levels.`);
  for (const [key, inner] of Object.entries(value)) {
    checkJson(key, path);
    checkJson(inner, `${path}.${key}`.slice(0, 200), left - 1);
  }
};

/** Throws unless these options may come through the API, from this key. */
export const checkOptions = async (
  { role }: Identity,
  executor: ExecutorName,
  options: Readonly<Record<string, unknown>>,
  rules: ExecutorRules,
  upstreams: Upstreams,
): Promise<void> => {
  checkJson(options, 'options');
  const names = Object.keys(options);
  const paths = new Set(rules.paths(executor));
  const path = names.find((name) => paths.has(name));
  if (path !== undefined)
    throw invalid(
      `options.${path}`,
      `'options.${path}' names a file of the server, which sluice.yaml alone may do. ${takesFile(executor) ? 'Upload the file instead.' : ''}`.trim(),
    );
  const own = takesFile(executor) && role !== 'admin' ? names.find((name) => !forAll.has(name)) : undefined;
  // The path is where the file will be put; without one the options would not be whole.
  const problems = rules.check({ executor, options: takesFile(executor) ? { ...options, path: 'model.onnx' } : options });
  if (problems.length > 0) throw invalid('options', `The options do not fit executor '${executor}': ${problems.join(' ')}`);
  if (own !== undefined)
    throw new ApiError('permission_denied', `'options.${own}' is set with an admin key; with this key: ${[...forAll].join(', ')}.`, {
      param: `options.${own}`,
    });
  const timeout = options['timeout_ms'];
  if (role !== 'admin' && typeof timeout === 'number' && timeout > mostTimeoutMs)
    throw new ApiError('permission_denied', `'options.timeout_ms' above ${mostTimeoutMs} is set with an admin key.`, {
      param: 'options.timeout_ms',
    });
  if (takesFile(executor)) return;
  const addresses = Object.entries(options).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && /^https?:/i.test(entry[1]),
  );
  if (addresses.length === 0) throw invalid('options', `Executor '${executor}' needs the address of an upstream among its options.`);
  for (const [name, address] of addresses) {
    const problem = await upstreamProblem(address, upstreams);
    if (problem !== null) throw invalid(`options.${name}`, `'options.${name}' ${problem}`);
  }
};
