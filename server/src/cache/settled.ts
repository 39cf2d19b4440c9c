import type { Db } from '../db/db.ts';
import type { Storage } from '../storage/storage.ts';
import type { Answer } from './answers.ts';
import { findResults, readBodies } from './results.ts';

/** Where an answer that a batch has given may be found. */
export interface SettledQuestion {
  /** From `answerKey`, of the digest and what was asked alone, as workers make it. */
  key: string;
  /** From `scopeOf`. */
  scope: string;
}

export interface SettledTier {
  get(question: SettledQuestion): Promise<Answer | null>;
}

/** Answers that batches have given: the last place to look, a statement and a read away. */
export const settledAnswers = (db: Db, storage: Storage): SettledTier => ({
  async get({ key, scope }) {
    const found = await findResults(db, scope, [key]);
    for await (const { result, body } of readBodies(storage, found.values()))
      if (result.status === 200) return { status: 200, body, at: Date.now() };
    return null;
  },
});
