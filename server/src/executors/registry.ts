import { messageOf } from '../lib/errors.ts';
import type { ExecutorName, Models, ModelSpec } from '../models/models.ts';
import { materialize, type Placed } from '../models/place.ts';
import { boltzKind } from './boltz/boltz.ts';
import { boltzOptions } from './boltz/options.ts';
import { chaiKind, chaiOptions } from './chai/chai.ts';
import { commandKind } from './command/command.ts';
import { commandOptions, commandProblems } from './command/options.ts';
import { descriptorsKind } from './descriptors/descriptors.ts';
import { descriptorsOptions } from './descriptors/options.ts';
import { echoKind, echoOptions } from './echo/echo.ts';
import { LoadError, type Executor, type ExecutorContext, type ExecutorKind, type JsonObject } from './executor.ts';
import { rfantibodyKind, rfantibodyOptions } from './rfantibody/rfantibody.ts';
import { callbackSecret, Http, httpKind } from './http/http.ts';
import { httpOptions } from './http/options.ts';
import { onnxKind } from './onnx/onnx.ts';
import { onnxOptions } from './onnx/options.ts';
import { OpenAI, openaiKind } from './openai/openai.ts';
import { openaiOptions } from './openai/options.ts';
import { Oip, oipKind } from './oip/oip.ts';
import { oipOptions } from './oip/options.ts';
import { optionProblems, type OptionSet } from './options.ts';
import { exclusive } from './remote/options.ts';

const kinds: Record<ExecutorName, { kind: ExecutorKind; options: OptionSet; exclusive?: readonly string[] }> = {
  echo: { kind: echoKind, options: echoOptions },
  openai: { kind: openaiKind, options: openaiOptions, exclusive },
  boltz: { kind: boltzKind, options: boltzOptions },
  chai: { kind: chaiKind, options: chaiOptions },
  rfantibody: { kind: rfantibodyKind, options: rfantibodyOptions },
  command: { kind: commandKind, options: commandOptions },
  http: { kind: httpKind, options: httpOptions, exclusive },
  oip: { kind: oipKind, options: oipOptions, exclusive },
  onnx: { kind: onnxKind, options: onnxOptions },
  descriptors: { kind: descriptorsKind, options: descriptorsOptions },
};

/** Loads a model by its executor. Rejects with a `LoadError` that says why where it cannot. */
export const openExecutor = async (model: ModelSpec, context: ExecutorContext): Promise<Executor> => {
  const placed = await place(model, context);
  try {
    const problems = checkOptions(placed.model);
    if (problems.length > 0) throw new LoadError(problems.join(' '));
    const executor = await kinds[model.executor].kind.open(placed.model, context);
    if (!model.file) return executor;
    // Its processes open the file again whenever one is replaced: it goes with the last of them.
    const end = executor[Symbol.asyncDispose].bind(executor);
    executor[Symbol.asyncDispose] = async () => {
      await end();
      await placed[Symbol.asyncDispose]();
    };
    return executor;
  } catch (error) {
    await placed[Symbol.asyncDispose]();
    throw error;
  }
};

/** The model with its file, if it has one, on this machine. */
const place = async (model: ModelSpec, { storage, scratch }: ExecutorContext): Promise<Placed> => {
  if (!model.file) return { model, [Symbol.asyncDispose]: async () => {} };
  if (!storage) throw new LoadError('Its file is in a storage that this process does not read.');
  try {
    return await materialize(storage, model, scratch);
  } catch (error) {
    throw new LoadError(`Its file could not be read from storage: ${messageOf(error)}`, { cause: error });
  }
};

/** What is wrong with a model's options, a sentence each, naming the option; whether files exist is not asked here. */
export const checkOptions = (model: Pick<ModelSpec, 'executor' | 'options'>): string[] => {
  const { options, exclusive } = kinds[model.executor];
  const given = exclusive?.filter((name) => model.options[name] !== undefined) ?? [];
  const clash = given.length > 1 ? [`options ${given.map((name) => `'${name}'`).join(' and ')} exclude each other.`] : [];
  const problems = [...optionProblems(options, model.options), ...clash];
  return problems.length === 0 && model.executor === 'command' ? commandProblems(model.options) : problems;
};

/**
 * What is wrong with a request of the model that can be told without running it, with the field; null: nothing, or
 * only the model itself can say.
 */
export const problemOf = (model: Pick<ModelSpec, 'executor'>, body: Record<string, unknown>): string | null =>
  kinds[model.executor].kind.problemOf?.(body as JsonObject) ?? null;

/** The secret that reports of calls of a model are signed with; null: it takes none. Its file is read when it is asked for. */
export const callbackSecretOf =
  (models: Models) =>
  (reference: string): Buffer | null => {
    const model = models.declared().find(({ name, version }) => `${name}@${version}` === reference);
    const path = model?.executor === 'http' ? model.options['callback_secret_file'] : undefined;
    return typeof path === 'string' ? callbackSecret(path) : null;
  };

/** The options that are paths, and what lies there: a relative one is meant from the folder of `sluice.yaml`. */
export const pathOptions = (executor: ExecutorName): Record<string, 'file' | 'folder'> =>
  Object.fromEntries(Object.entries(kinds[executor].options).flatMap(([name, { path }]) => (path ? [[name, path]] : [])));

/** Calls under way, how many there may be just now, and how many at most; null for executors that do not adapt. */
export const concurrencyOf = (executor: Executor): { used: number; limit: number; most: number } | null =>
  executor instanceof OpenAI || executor instanceof Oip || executor instanceof Http ? executor.concurrency : null;
