import { expect, test } from 'vitest';
import { conformance } from './conformance.ts';
import { openMemory } from './memory.ts';
import { StorageFull } from './storage.ts';

conformance('memory', async () => openMemory());

test('is full at its capacity, and has room again after a delete', async () => {
  const storage = openMemory({ capacity: 10 });
  await storage.put('a', [Buffer.alloc(8)]);
  await expect(storage.put('b', [Buffer.alloc(3)])).rejects.toThrow(StorageFull);
  await expect(storage.copy('a', 'b')).rejects.toThrow(StorageFull);
  expect(await storage.size('b')).toBe(null);
  await storage.delete('a');
  await storage.put('b', [Buffer.alloc(10)]);
  await expect(storage.check()).rejects.toThrow(StorageFull);
});
