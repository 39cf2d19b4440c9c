import { expect, test } from 'vitest';
import { parseUpstreams, upstreamProblem } from './upstreams.ts';

const { upstreams } = parseUpstreams('vllm.internal, *.models.internal:8000 10.0.0.0/8,192.168.1.7 fd00::/8');
const at = (address: string) => () => Promise.resolve([address]);
const problem = (url: string, resolve = at('172.16.0.9')) => upstreamProblem(url, upstreams, resolve);

test.each([
  'http://vllm.internal:8000/v1',
  'https://VLLM.internal./v1',
  'http://a.models.internal:8000',
  'http://10.255.0.1/v1',
  'http://192.168.1.7:9',
  'http://[fd00::1]/v1',
  // The parser reads these as 10.0.0.1.
  'http://0x0a000001/',
  'http://167772161/',
  'http://10.1/',
  'http://[::ffff:10.0.0.1]/',
])('%s is allowed', async (url) => expect(await problem(url)).toBeNull());

test.each([
  'http://example.com/v1',
  'http://vllm.internal.evil.com/',
  'http://models.internal:8000/',
  'http://a.models.internal:8001/',
  'http://evilvllm.internal/',
  'http://11.0.0.1/',
  'http://127.0.0.1/',
  'http://169.254.169.254/latest/meta-data',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://0x7f.1/',
  'http://192.168.1.8/',
])('%s is not among the addresses', async (url) => expect(await problem(url)).toContain('registry.upstreams'));

test('schemes, credentials, and what is no URL', async () => {
  expect(await problem('file:///etc/passwd')).toContain('http://');
  expect(await problem('http://a:b@vllm.internal/')).toContain('password');
  expect(await problem('vllm.internal')).toContain('no URL');
});

test('a name that resolves to where clouds keep credentials, or to nothing, is refused', async () => {
  expect(await problem('http://vllm.internal/', at('169.254.169.254'))).toContain('serves nobody');
  expect(await problem('http://vllm.internal/', at('::ffff:169.254.169.254'))).toContain('serves nobody');
  expect(await problem('http://vllm.internal/', at('fe80::1'))).toContain('serves nobody');
  expect(await problem('http://vllm.internal/', () => Promise.reject(new Error('ENOTFOUND')))).toContain('does not resolve');
  expect(await problem('http://vllm.internal/', () => Promise.resolve(['10.0.0.1', '0.0.0.0']))).toContain('serves nobody');
});

test('an empty list allows nothing, and what is wrong with a list is said', async () => {
  expect(await upstreamProblem('http://127.0.0.1/', parseUpstreams('').upstreams)).toContain('listed no addresses');
  expect(parseUpstreams('10.0.0.0/33 a..b 300.1.1.1 *.x/8 ok.internal').problems).toHaveLength(4);
});
