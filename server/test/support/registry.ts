import type { ErrorBody, ModelDetails } from '@sluice/contract';
import type { Pool } from '../../src/db/db.ts';
import { finishVetting, takeForVetting, type VettingResult } from '../../src/registry/vetting.ts';

export interface Answer<T> {
  status: number;
  body: T & { error?: ErrorBody['error'] };
}

/** Calls of one key. */
export const callsOf =
  (url: string, key: string) =>
  async <T = ModelDetails>(method: string, path: string, body?: unknown): Promise<Answer<T>> => {
    const form = body instanceof FormData;
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined || form ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    return { status: reply.status, body: (await reply.json()) as Answer<T>['body'] };
  };

export const formOf = (bytes: Uint8Array, filename = 'model.onnx'): FormData => {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytes)]), filename);
  return form;
};

/** What a worker writes down that vetted a file, for tests of what is round it. */
export const vet = async (db: Pool, result: Partial<VettingResult> = {}): Promise<string> => {
  const lease = await takeForVetting(db, 'worker_test', 30);
  if (!lease) throw new Error('nothing waits to be vetted');
  const done = await finishVetting(db, lease, {
    status: 'ready',
    reason: null,
    report: { steps: [] },
    inputs: [{ name: 'x', type: 'float32', shape: ['N', 2], batch_axis: 0 }],
    outputs: [{ name: 'y', type: 'float32', shape: ['N', 2], batch_axis: 0 }],
    metadata: {},
    ...result,
  });
  if (done !== 'done') throw new Error('the vetting was lost');
  return `${lease.name}@${lease.version}`;
};
