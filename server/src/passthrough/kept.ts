import type { AskingCache } from '../cache/asking.ts';
import { llmInput } from '../cache/llm-input.ts';
import { bypassed, cacheHeaders } from '../cache/policy.ts';
import { asksForSampling } from '../cache/sampling.ts';
import { sampleOf } from '../cache/worth.ts';
import type { Forwarded } from '../executors/executor.ts';
import type { Asked } from './routes.ts';

/** Bytes of a reply that are kept. */
const largest = 4 << 20;

/** A reply that is no answer, on its way past the cache. */
class Unanswered extends Error {
  readonly forwarded: Forwarded;

  constructor(forwarded: Forwarded) {
    super('no answer');
    this.forwarded = forwarded;
  }
}

const textOf = async (body: (Forwarded & { ok: true })['body']): Promise<string> => {
  if (typeof body === 'string') return body;
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces).toString('utf8');
};

/**
 * Answers by the rules by which batches share theirs: what asks for chance, streams, or is more than a question goes to
 * the model; everything else is asked once, and its answer kept. Scripts of `echo` are for trying out what a model may do.
 */
export const keptAnswers =
  (asking: AskingCache) =>
  async (asked: Asked, ask: (asked: Asked) => Promise<Forwarded>): Promise<Forwarded> => {
    const { model, exchange, identity, policy, ended } = asked;
    const { body } = exchange;
    const unique = body['stream'] === true || asksForSampling(body) || (model.executor === 'echo' && body['sluice_echo'] !== undefined);
    const input = unique ? null : llmInput(exchange.url, body);
    const keep = asking.about({ identity, model, policy });
    if (input === null || !keep.looksUp(sampleOf(input))) return marked(await ask(asked), bypassed);
    let own: (Forwarded & { ok: true }) | null = null;
    try {
      const answered = await keep.through(
        { input, identity: input },
        async (signal) => {
          const forwarded = await ask({ ...asked, ended: signal });
          if (!forwarded.ok) throw new Unanswered(forwarded);
          const text = await textOf(forwarded.body);
          own = { ...forwarded, body: text };
          if (forwarded.status !== 200) throw new Unanswered(own);
          return { answer: { status: 200, body: text, at: Date.now() }, keep: text.length <= largest };
        },
        ended,
      );
      const reply: Forwarded = own ?? { ok: true, status: answered.answer.status, headers: {}, body: answered.answer.body };
      return marked(reply, cacheHeaders(answered));
    } catch (error) {
      if (error instanceof Unanswered) return error.forwarded;
      throw error;
    }
  };

const marked = (forwarded: Forwarded, headers: Record<string, string>): Forwarded =>
  forwarded.ok ? { ...forwarded, headers: { ...forwarded.headers, ...headers } } : forwarded;
