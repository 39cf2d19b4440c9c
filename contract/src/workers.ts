import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

export const WorkerObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('worker'),
    pool: Type.String(),
    kind: Type.Enum(['spot', 'dedicated']),
    host: Type.String(),
    pid: Type.Integer(),
    state: Type.Enum(['ready', 'draining', 'stopped', 'lost'], { description: '`lost`: not heard of for longer than a lease.' }),
    models: Type.Array(Type.String(), { description: 'Versions it can run, of those that the key sees.' }),
    loaded: Type.Array(
      Type.Object({
        model: Type.String(),
        held_bytes: Type.Integer({ description: 'Of its processes; 0 where it has none of its own.' }),
        rate: Nullable(Type.Number({ description: 'Requests a second, as this worker measured last.' })),
      }),
      { description: 'Versions it has in memory, of those that the key sees.' },
    ),
    loaded_others: Type.Integer({ description: 'Versions of other tenants that it has in memory.' }),
    held_bytes: Nullable(Type.Integer({ description: "Of the worker's own process." })),
    leases: Type.Integer({ description: 'Chunks it holds.' }),
    requests: Type.Integer({ description: 'Requests in them that have not settled.' }),
    started_at: Type.Number(),
    seen_at: Type.Number(),
  },
  { $id: 'Worker' },
);
export type WorkerObject = Static<typeof WorkerObject>;

export const PoolObject = Type.Object(
  {
    name: Type.String(),
    object: Type.Literal('pool'),
    preemptible: Type.Boolean(),
    price: Type.Number({ description: 'Per worker-hour.' }),
    minimum: Type.Integer(),
    maximum: Type.Integer(),
    backlog_ratio: Type.Number({ description: 'Queued requests for which one worker is asked.' }),
    startup_seconds: Type.Number(),
    memory_gb: Nullable(Type.Number({ description: 'What a worker of it has; null: not said.' })),
    gpu_memory_gb: Nullable(Type.Number({ description: 'On its largest GPU.' })),
    desired: Type.Integer({ description: 'Workers the scheduler wants.' }),
    actual: Type.Integer({ description: 'Workers that are ready.' }),
    reason: Type.String({ description: 'Why so many are wanted.' }),
    decided_at: Nullable(Type.Number()),
  },
  { $id: 'Pool' },
);
export type PoolObject = Static<typeof PoolObject>;

export const WorkersHealth = Type.Object({
  status: Type.Enum(['ok', 'unavailable'], { description: '`ok` while a worker is ready.' }),
  ready: Type.Integer(),
  workers: Type.Array(Type.Ref('Worker')),
});
export type WorkersHealth = Omit<Static<typeof WorkersHealth>, 'workers'> & { workers: WorkerObject[] };

export const WorkerList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('Worker')) });
export const PoolList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('Pool')) });
