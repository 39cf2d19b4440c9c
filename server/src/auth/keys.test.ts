import { expect, test } from 'vitest';
import { authenticateWith } from './keys.ts';

const authenticate = authenticateWith([
  { key: 'sk-ada', tenant: 'lab', user: 'ada' },
  { key: 'sk-bob', tenant: 'plant', user: 'bob' },
]);

test('a key names its tenant and user', () => {
  expect(authenticate('Bearer sk-ada')).toEqual({ tenant: 'lab', user: 'ada' });
  expect(authenticate('bearer  sk-bob')).toEqual({ tenant: 'plant', user: 'bob' });
});

test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic sk-ada', 'sk-ada', 'Bearer sk-ad', 'Bearer sk-ada2', 'Bearer sk-ada sk-bob'])(
  'refuses %j',
  (header) => {
    const refusal = { status: 401, code: 'invalid_api_key', headers: { 'www-authenticate': 'Bearer' } };
    expect(() => authenticate(header)).toThrow(expect.objectContaining(refusal));
    expect(() => authenticate(header)).not.toThrow(/sk-/);
  },
);
