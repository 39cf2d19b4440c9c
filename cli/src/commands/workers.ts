import type { PoolObject, WorkerObject } from '@sluice/contract';
import type { Context } from '../context.ts';
import { printJson, printTable, say, when } from '../output.ts';

export const list = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { data } = await client.get<{ data: WorkerObject[] }>('/v1/workers');
  if (fields) return printJson(terminal, data, fields);
  printTable(terminal, data, {
    id: ({ id }) => id,
    pool: ({ pool }) => pool,
    state: ({ state }) => state,
    host: ({ host }) => host,
    pid: ({ pid }) => pid,
    chunks: ({ leases }) => leases,
    requests: ({ requests }) => requests,
    models: ({ models }) => models.length,
    started: ({ started_at }) => when(started_at),
    seen: ({ seen_at }) => when(seen_at),
  });
};

export const drain = async ({ client, terminal, fields, quiet }: Context, id: string): Promise<void> => {
  const worker = await client.post<WorkerObject>(`/v1/workers/${encodeURIComponent(id)}/drain`);
  if (fields) return printJson(terminal, worker, fields);
  if (!quiet) say(terminal, `${worker.id} is ${worker.state}; it holds ${worker.requests} requests.`);
};

export const pools = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { data } = await client.get<{ data: PoolObject[] }>('/v1/pools');
  if (fields) return printJson(terminal, data, fields);
  printTable(terminal, data, {
    name: ({ name }) => name,
    kind: ({ preemptible }) => (preemptible ? 'spot' : 'dedicated'),
    price: ({ price }) => price,
    memory: ({ memory_gb }) => (memory_gb === null ? null : `${memory_gb} GB`),
    'gpu memory': ({ gpu_memory_gb }) => (gpu_memory_gb === null ? null : `${gpu_memory_gb} GB`),
    minimum: ({ minimum }) => minimum,
    maximum: ({ maximum }) => maximum,
    actual: ({ actual }) => actual,
    desired: ({ desired }) => desired,
    why: ({ reason }) => reason,
  });
};
