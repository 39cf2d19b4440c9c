import { expect, test } from 'vitest';
import { isAllowed, parseHosts } from './addresses.ts';
import { noSources, shownUrl, sourceProblem } from './sources.ts';

const { hosts: none } = parseHosts('');

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fc00::1',
  'fe80::1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::a00:1',
  '2002:a00:1::',
  '2001:0:a00:1::',
  'ff02::1',
  'no address',
])('%s is not public', (address) => {
  expect(isAllowed(address, none)).toBe(false);
});

test('public addresses are allowed, and private ones that the operator lists', () => {
  expect(['93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8'].map((address) => isAllowed(address, none))).toEqual([true, true, true]);
  const { hosts, problems } = parseHosts('10.0.0.0/8, fd00::/8 192.168.1.7 data.internal:8443 bad/9');
  expect(problems).toEqual([expect.stringContaining("'bad/9'")]);
  expect(['10.9.9.9', 'fd00::7', '192.168.1.7', '192.168.1.8', '127.0.0.1'].map((address) => isAllowed(address, hosts))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(hosts.names).toEqual([{ host: 'data.internal', port: '8443' }]);
});

test.each<[string, string | null]>([
  ['https://example.org/a.csv', null],
  ['https://example.org:8443/a.csv', null],
  ['https://example.org:22/a.csv', 'Port 22'],
  ['http://example.org/a.csv', 'https://'],
  ['ftp://example.org/a.csv', 'https://'],
  ['file:///etc/passwd', 'https://'],
  ['https://user:secret@example.org/a.csv', 'password'],
  ['https://127.0.0.1/a.csv', 'not public'],
  ['https://2130706433/a.csv', 'not public'],
  ['https://0x7f.1/a.csv', 'not public'],
  ['https://[::ffff:172.16.0.1]/a.csv', 'not public'],
  ['https://metadata.lab:8443/a.csv', null],
  ['http://metadata.lab:9000/a.csv', null],
  ['http://metadata.lab:9001/a.csv', 'https://'],
  ['http://10.0.0.9:81/a.csv', null],
  ['nonsense', 'no URL'],
  ['s3://own/a.csv', null],
  ['s3://shared/lab/a.csv', null],
  ['s3://shared/other/a.csv', 'not listed'],
  ['s3://shared/lab/', null],
  ['s3://lab-acme/a.csv', null],
  ['s3://lab-other/a.csv', 'not listed'],
  ['s3://own', 'bucket and an object'],
])('%s as a source', (url, problem) => {
  const settings = { ...noSources, hosts: 'metadata.lab:9000 10.0.0.0/24', s3Buckets: 'own, shared/lab/, lab-{tenant}' };
  const found = sourceProblem(url, settings, 'acme');
  if (problem === null) expect(found).toBe(null);
  else expect(found).toContain(problem);
});

test('what stands behind a question mark may be a key, and is not shown', () => {
  expect(shownUrl('https://a.org/b.csv?X-Amz-Signature=secret#x')).toBe('https://a.org/b.csv');
});
