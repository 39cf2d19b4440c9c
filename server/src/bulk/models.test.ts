import { expect } from 'vitest';
import { test } from '../../test/support/database.ts';
import { insertMany } from '../../test/support/many-batches.ts';
import { pageOfBatches } from '../batches/page.ts';
import { nextBatches } from './batches.ts';
import type { Selection } from './selection.ts';

const cancel = (model: readonly string[]): Selection => ({
  tenant: 'lab',
  on: 'batches',
  action: 'cancel',
  filter: { model: [...model] },
  ids: null,
  exclude: [],
  asOf: 4_000_000_000,
  options: {},
});

test('an action on batches of a model means those that their list shows, by name or by name and version', async ({ db }) => {
  await insertMany(db, { count: 1_000 });
  await insertMany(db, { count: 50, tenant: 'other' });
  const counts: number[] = [];
  for (const model of [['echo'], ['echo@1.0.0'], ['boltz-2@2.0.0', 'lab/solubility'], ['echo@1'], ['ech'], ['solubility']]) {
    const listed = await pageOfBatches(db, 'lab', { model }, { sort: 'created_at', descending: false, after: null, limit: 2_000 });
    const meant = await nextBatches(db, cancel(model), 0, 2_000);
    expect([model, meant.map(({ id }) => id)]).toEqual([model, listed.map(({ id }) => id)]);
    counts.push(meant.length);
  }
  expect(counts.map((count) => count > 0)).toEqual([true, true, true, false, false, false]);
});
