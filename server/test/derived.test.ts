import { expect, test } from 'vitest';
import { deriveAll, differing } from '../../scripts/derive.ts';

test('the derived files are as `npm run derive` writes them', async () => {
  expect(await differing(await deriveAll())).toEqual([]);
});
