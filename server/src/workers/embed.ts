import type { Digests } from '../models/digest.ts';
import type { Models } from '../models/models.ts';
import type { RunSignals, Task } from '../executors/executor.ts';
import { unit } from '../cache/vectors.ts';
import type { LoadedModels } from './loaded.ts';

interface EmbedDeps {
  models: Models;
  loaded: LoadedModels;
  digests: Digests;
}

interface Embedder {
  digest: string;
  /** A vector of length 1 for each text; null where the model gave none. */
  all(texts: readonly string[], signals: Pick<RunSignals, 'stop' | 'abort' | 'lane'>): Promise<(Float32Array | null)[]>;
}

/** An embedding model as any other is run: by its executor in this worker, at `/v1/embeddings`. Null where there is no such model. */
export const embedder = async ({ models, loaded, digests }: EmbedDeps, reference: string, tenant: string): Promise<Embedder | null> => {
  const model = models.find(reference, tenant);
  if (model === null) return null;
  return {
    digest: await digests.of(model),
    all: (texts, { stop, abort, lane = 'bulk' }) =>
      loaded.use(model, async (executor) => {
        const tasks = texts.map((input, i): Task => ({
          line: i + 1,
          customId: String(i),
          url: '/v1/embeddings',
          body: { model: reference, input },
          attempt: 1,
        }));
        const vectors: (Float32Array | null)[] = texts.map(() => null);
        for await (const outcomes of executor.run(tasks, { stop, abort, lane }))
          for (const outcome of outcomes) if (outcome.ok) vectors[outcome.line - 1] = vectorIn(outcome.body);
        return vectors;
      }),
  };
};

const vectorIn = (body: string): Float32Array | null => {
  const reply = JSON.parse(body) as { data?: { embedding?: unknown }[] };
  const embedding = reply.data?.[0]?.embedding;
  return Array.isArray(embedding) && embedding.every((value) => typeof value === 'number') ? unit(embedding) : null;
};
