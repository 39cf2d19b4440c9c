import { Type, type Static } from 'typebox';

const Counted = Type.Object({
  hits: Type.Integer({ description: 'Answers that did not have to be computed.' }),
  hits_from: Type.Object({
    memory: Type.Integer(),
    redis: Type.Integer(),
    batch: Type.Integer({ description: 'A batch had been given it.' }),
    flight: Type.Integer({ description: 'Was being computed for somebody else.' }),
  }),
  misses: Type.Integer(),
  bypasses: Type.Integer({ description: 'Asked past the cache: by the request, or because hits are rare.' }),
  hit_ratio: Type.Number({ description: 'Hits of all that were looked up; 0 where none was.' }),
});

export const CacheFigures = Type.Object(
  {
    object: Type.Literal('cache.metrics'),
    entries: Type.Integer({ description: 'Answers in the memory of the process that replied.' }),
    bytes: Type.Integer(),
    max_bytes: Type.Integer(),
    ttl_seconds: Type.Integer(),
    redis: Type.Enum(['off', 'ok', 'away'], { description: '`away`: it does not answer, and memory alone serves.' }),
    ...Counted.properties,
    models: Type.Array(
      Type.Object({
        model: Type.String(),
        bypassed: Type.Boolean({ description: 'Hits are so rare that only a sample of the requests is looked up.' }),
        ...Counted.properties,
      }),
    ),
  },
  { $id: 'CacheFigures' },
);
export type CacheFigures = Static<typeof CacheFigures>;

export const CacheReset = Type.Object({ object: Type.Literal('cache.reset'), tenant: Type.String() }, { $id: 'CacheReset' });
export type CacheReset = Static<typeof CacheReset>;
