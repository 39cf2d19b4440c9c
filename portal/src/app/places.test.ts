import { expect, test } from 'vitest';
import { placeOf } from './places.ts';

const origin = 'http://localhost:8080';
const at = (text: string) => placeOf(text, origin);
const hex = '0123456789abcdef0123456789abcdef';

test('ids lead to their pages, in other words and in addresses of the API too', () => {
  expect(at(`batch_${hex}`)).toBe(`/batches/batch_${hex}`);
  expect(at(`batch_req_${hex}`)).toBe(`/requests/batch_req_${hex}`);
  expect(at(`job_${hex.slice(0, 24)}`)).toBe(`/jobs/job_${hex.slice(0, 24)}`);
  expect(at(`op_${hex}`)).toBe(`/bulk/op_${hex}`);
  expect(at('file-abcDEF123456')).toBe('/files?id=file-abcDEF123456');
  expect(at('worker_01a0b2c3')).toBe('/workers?id=worker_01a0b2c3');
  expect(at(`error in batch_${hex}, line 4`)).toBe(`/batches/batch_${hex}`);
  expect(at(`${origin}/v1/batches/batch_${hex}`)).toBe(`/batches/batch_${hex}`);
});

test('an address of this server is followed, and no other', () => {
  expect(at(`${origin}/dead-letters?code=timeout`)).toBe('/dead-letters?code=timeout');
  expect(at('https://elsewhere.example/batches')).toBeNull();
  expect(at(`${origin}.example/batches`)).toBeNull();
});

test('what is only a word, or the beginning of an id, is searched for', () => {
  for (const text of ['kinase', 'batch_01a0', 'job_', 'batches', '']) expect(at(text)).toBeNull();
});
