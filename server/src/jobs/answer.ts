import { errors, type ErrorCode } from '@sluice/contract';
import type { FastifyReply } from 'fastify';
import { ApiError } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { textOf } from './bodies.ts';
import type { AnsweredRow } from './read.ts';
import { toJob } from './rows.ts';

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

/** The answer's text as the model gave it, byte for byte. */
const answerOf = async (storage: Storage, row: AnsweredRow): Promise<string | null> => textOf(storage, row.result, row.result_key);

/**
 * The answer of a job that has ended, as its endpoint would have given it at once: the model's reply with its status,
 * or the error that the job ended with.
 */
export const sendAnswer = async (storage: Storage, row: AnsweredRow, reply: FastifyReply): Promise<FastifyReply> => {
  const text = await answerOf(storage, row);
  if (text !== null && row.status_code !== null) return reply.code(row.status_code).type('application/json').send(text);
  if (row.error === null) throw new ApiError('not_found', `The answer of the job '${row.id}' is gone.`, { param: 'id' });
  const { code, message } = row.error;
  if (!isKnown(code)) throw new ApiError('executor_error', message);
  // Codes that elsewhere stand inside objects only; here they are what the reply is about.
  throw new ApiError(code, message, errors[code].status === 0 ? { status: 500 } : {});
};

/** The job with its answer in it, digits and all. */
export const sendWithAnswer = async (storage: Storage, row: AnsweredRow, reply: FastifyReply): Promise<FastifyReply> => {
  const text = row.state === 'completed' ? await answerOf(storage, row) : null;
  const job = JSON.stringify(toJob(row));
  return reply.type('application/json').send(text === null ? job : `${job.slice(0, -1)},"result":${text}}`);
};
