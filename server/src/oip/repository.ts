import type { IncomingMessage } from 'node:http';
import { flagAt, isObject, parametersAt } from '../executors/oip/message.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import { invalidInput } from '../executors/onnx/tensor.ts';
import { readBody } from './body.ts';

/** Bytes of these bodies: switches, or nothing. */
const maxBytes = 65_536;

const objectIn = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  const text = (await readBody(request, maxBytes)).toString();
  if (text.trim() === '') return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ApiError('invalid_request', `The body is not valid JSON: ${messageOf(error)}.`);
  }
  if (!isObject(json)) throw new ApiError('invalid_request', 'The body must be a JSON object, or absent.');
  return json;
};

/** Whether only models that are ready are asked for. */
export const readIndexAsk = async (request: IncomingMessage): Promise<boolean> => {
  return flagAt(await objectIn(request), 'ready', 'body') ?? false;
};

/** Refuses what loading a model here cannot be told: its files and its configuration come from the registry. */
export const checkLoadAsk = async (request: IncomingMessage): Promise<void> => {
  const parameters = parametersAt((await objectIn(request))['parameters'], 'parameters');
  const [name] = Object.keys(parameters);
  if (name !== undefined)
    throw new ApiError(
      'not_implemented',
      `parameters.${name.slice(0, 100)}: a model is loaded as it is registered. Upload another version at /v1/models to change it.`,
    );
};

/** Nothing depends on a model here, so that unloading those too is done already. */
export const checkUnloadAsk = async (request: IncomingMessage): Promise<void> => {
  const parameters = parametersAt((await objectIn(request))['parameters'], 'parameters');
  flagAt(parameters, 'unload_dependents', 'parameters');
  const other = Object.keys(parameters).find((name) => name !== 'unload_dependents');
  if (other !== undefined) throw invalidInput(`parameters.${other.slice(0, 100)}`, 'is not known; unloading takes unload_dependents.');
};
