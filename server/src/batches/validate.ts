import { isUtf8 } from 'node:buffer';
import type { BatchError } from '@sluice/contract';
import { asksForSampling } from '../cache/sampling.ts';
import { answers, type Models, type ModelSpec } from '../models/models.ts';

/** What intake needs to know of a line that is fine. */
export interface ValidLine {
  customId: string;
  model: ModelSpec;
  /** It asks for an answer that chance is part of: another one is not the same. */
  sampled: boolean;
}

type Problem = Omit<BatchError, 'line'>;

/** JSON nested deeper than this is refused: what reads it later may recurse. */
const maxDepth = 64;
const maxIdLength = 512;

const problem = (code: string, message: string, param: string | null = null): Problem => ({ code, message, param });

const missing = (key: string): Problem => problem('missing_required_parameter', `Missing required parameter: '${key}'.`, key);

/** The words of OpenAI, then which of its many causes it was. */
const unreadable = (why: string): Problem => problem('invalid_json_line', `This line is not parseable as valid JSON. ${why}`);

/** What each endpoint's body cannot do without, besides the model. */
const needs: Record<string, string> = {
  '/v1/chat/completions': 'messages',
  '/v1/completions': 'prompt',
  '/v1/embeddings': 'input',
  '/v1/responses': 'input',
  '/v1/moderations': 'input',
  '/v1/predict': 'inputs',
};

/** OpenAI says which of its services it speaks of; seen for this one. */
const spoken: Record<string, string> = { '/v1/chat/completions': 'Chat Completions: ' };

type Dict = Record<string, unknown>;

const isDict = (value: unknown): value is Dict => typeof value === 'object' && value !== null && !Array.isArray(value);

const tooDeep = (value: unknown, left: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && tooDeep(item, left - 1)) return true;
    return false;
  }
  for (const key in value) if (tooDeep((value as Dict)[key], left - 1)) return true;
  return false;
};

/** Checks the lines of one batch: the contract's rules for one line, without looking at any other. */
export class LineValidator {
  readonly #endpoint: string;
  readonly #models: Models;
  readonly #tenant: string;
  /** References as lines name them, resolved once a batch: a version made later does not split it. */
  readonly #resolved = new Map<string, ModelSpec | null>();

  readonly #model: string | undefined;
  readonly #several: boolean;

  /**
   * @param model of the lines that name none
   * @param several each line is run by several models, of which that is the first: none of the lines names one
   */
  constructor(endpoint: string, models: Models, tenant: string, model?: string, several = false) {
    this.#endpoint = endpoint;
    this.#model = model;
    this.#several = several;
    this.#models = models;
    this.#tenant = tenant;
  }

  /** @returns the line, or all that is wrong with it */
  check(buffer: Buffer, start: number, end: number, plain: boolean): ValidLine | Problem[] {
    if (start === end) return [unreadable('The line is blank.')];
    if (!plain) {
      const bytes = buffer.subarray(start, end);
      if (!isUtf8(bytes)) return [unreadable('It is not valid UTF-8.')];
      if (bytes.includes(0)) return [unreadable('It contains a NUL byte.')];
    }
    let value: unknown;
    try {
      value = JSON.parse(plain ? buffer.toString('latin1', start, end) : buffer.toString('utf8', start, end));
    } catch (error) {
      if (/^\s*$/.test(buffer.toString('latin1', start, Math.min(end, start + 1_000)))) return [unreadable('The line is blank.')];
      return [unreadable(jsonReason(error))];
    }
    if (!isDict(value)) return [unreadable('It is not a JSON object.')];
    if (tooDeep(value, maxDepth)) return [unreadable(`It is nested deeper than ${maxDepth} levels.`)];
    return this.#fields(value);
  }

  #fields(line: Dict): ValidLine | Problem[] {
    const problems: Problem[] = [];
    const { custom_id: customId, method, url, body } = line;
    if (customId === undefined) problems.push(missing('custom_id'));
    else if (typeof customId !== 'string')
      problems.push(problem('invalid_type', "Invalid type for 'custom_id': expected a string.", 'custom_id'));
    else if (customId === '') problems.push(problem('invalid_value', "'custom_id' must not be empty.", 'custom_id'));
    else if (customId.length > maxIdLength)
      problems.push(problem('invalid_value', `'custom_id' is longer than ${maxIdLength} characters.`, 'custom_id'));
    if (method === undefined) problems.push(missing('method'));
    else if (method !== 'POST') problems.push(problem('invalid_method', "Invalid method: only 'POST' is supported.", 'method'));
    if (url === undefined) problems.push(missing('url'));
    else if (url !== this.#endpoint)
      problems.push(problem('invalid_url', 'The URL provided for this request does not match the batch endpoint.', 'url'));
    if (body === undefined) problems.push(missing('body'));
    else if (!isDict(body)) problems.push(problem('invalid_type', "Invalid type for 'body': expected an object.", 'body'));
    let model: ModelSpec | null = null;
    if (isDict(body)) {
      if (body['stream'] === true)
        problems.push(
          problem('streaming_unsupported', `${spoken[this.#endpoint] ?? ''}Streaming is not supported in the Batch API.`, 'body.stream'),
        );
      const needed = needs[this.#endpoint];
      if (needed && body[needed] === undefined)
        problems.push(problem('invalid_request', `${needed[0]!.toUpperCase()}${needed.slice(1)} parameter is required.`, `body.${needed}`));
      const found = this.#resolve(body['model'] ?? this.#model);
      if ('code' in found) problems.push(found);
      else model = found;
      if (this.#several && body['model'] !== undefined)
        problems.push(problem('invalid_request', 'The batch is run by several models, so that its lines name none.', 'body.model'));
    }
    if (problems.length > 0 || model === null) return problems;
    return { customId: customId as string, model, sampled: asksForSampling(body as Dict) };
  }

  #resolve(reference: unknown): ModelSpec | Problem {
    if (typeof reference !== 'string' || reference === '') return problem('invalid_request', 'Model parameter is required.', 'body.model');
    let model = this.#resolved.get(reference);
    if (model === undefined) {
      model = this.#models.find(reference, this.#tenant);
      this.#resolved.set(reference, model);
    }
    if (model === null)
      return problem('model_not_found', `The provided model '${clip(reference)}' is not supported by the Batch API.`, 'body.model');
    if (!answers(model, this.#endpoint))
      return problem('invalid_request', `The model '${model.name}@${model.version}' does not answer ${this.#endpoint}.`, 'body.model');
    return model;
  }
}

/** A client's text as part of a message: short, and such that PostgreSQL takes it (no NUL, no half of a pair). */
export const clip = (text: string): string =>
  (text.length > 100 ? `${text.slice(0, 100)}…` : text).replaceAll('\0', '\ufffd').toWellFormed();

/** V8's reason quotes the line's text; only what it expected is passed on. */
const jsonReason = (error: unknown): string => {
  const message = error instanceof Error ? error.message : '';
  if (/end of JSON input|Unterminated/i.test(message)) return 'It ends too early.';
  const position = /position (\d+)/.exec(message)?.[1];
  return position === undefined ? 'It is not JSON.' : `The trouble is at character ${Number(position) + 1}.`;
};
