import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch, FileObject } from '@sluice/contract';
import { Client } from '@sluice/contract/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';
import { upload } from './upload.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let server: Sluice;
let folder: string;
beforeAll(async () => {
  server = await startSluice();
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the program as a shell would, with no terminal. `onError` sees stderr as it comes. */
const start = (args: readonly string[], { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {}) => {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...bareEnvironment(), SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key', ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, out, err }));
  /** Resolves once stderr holds `text`. */
  const says = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => err.includes(text) && resolve();
      child.stderr.on('data', look);
      look();
    });
  return { child, ended, says };
};

const sluice = (...args: string[]): Promise<Ended> => start(args).ended;

const line = (id: string, body: object) => `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/predict', body })}\n`;

const fileOf = async (name: string, content: string): Promise<string> => {
  await writeFile(join(folder, name), content);
  return name;
};

const results = async (path: string) =>
  (await readFile(join(folder, path), 'utf8'))
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { custom_id: string; response: { body: { outputs: unknown } } | null; error: unknown });

describe('batch run', () => {
  test('takes a file of bodies to a file of results', async () => {
    const input = await fileOf('bodies.jsonl', '{"inputs":{"smiles":"CCO"}}\n{"inputs":{"smiles":"CCN"}}\n');
    const { code, out, err } = await sluice('batch', 'run', input, '--model', 'echo', '--out', 'bodies.out.jsonl', '--name', 'two');
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain('their custom_ids are line-1, line-2');
    expect(err).toContain('2 of 2 succeeded');
    expect((await results('bodies.out.jsonl')).map(({ custom_id, response }) => [custom_id, response!.body.outputs])).toEqual([
      ['line-1', { smiles: 'CCO' }],
      ['line-2', { smiles: 'CCN' }],
    ]);
    expect(existsSync(join(folder, 'bodies.out.jsonl.part'))).toBe(false);
  });

  test('reads standard input, writes standard output', async () => {
    const { code, out } = await start(['batch', 'run', '-', '--out', '-', '-q'], { input: line('a', { model: 'echo', inputs: 1 }) }).ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ custom_id: 'a', response: { status_code: 200 } });
  });

  test('with failed requests is 0, or 3 where that is asked for', async () => {
    const input = await fileOf(
      'mixed.jsonl',
      line('good', { model: 'echo', inputs: 1 }) + line('bad', { model: 'echo', inputs: 1, sluice_echo: { status: 400 } }),
    );
    expect(await sluice('batch', 'run', input, '--out', 'mixed.out.jsonl')).toMatchObject({ code: 0 });
    const { code, err, out } = await sluice(
      'batch',
      'run',
      input,
      '--out',
      'mixed.out.jsonl',
      '--fail-on-error',
      '--json=status,request_counts.failed',
    );
    expect(code).toBe(3);
    expect(err).toMatch(/1 requests did not succeed.*sluice batch retry batch_/s);
    expect(JSON.parse(out)).toEqual({ status: 'completed', 'request_counts.failed': 1 });
    expect((await results('mixed.out.errors.jsonl')).map(({ custom_id }) => custom_id)).toEqual(['bad']);
  });

  test('of refused lines is 1, and says which', async () => {
    const input = await fileOf('refused.jsonl', `${line('a', { model: 'echo', inputs: 1 })}{"custom_id":\n`);
    const { code, err } = await sluice('batch', 'run', input, '--out', 'refused.out.jsonl');
    expect(code).toBe(1);
    expect(err).toMatch(/line 2: .*sluice batch get batch_\w+ --json=errors/s);
    expect(existsSync(join(folder, 'refused.out.jsonl'))).toBe(false);
  });

  test('that takes too long is 124, and the batch goes on', async () => {
    const input = await fileOf('slow.jsonl', line('a', { model: 'echo', inputs: 1, sluice_echo: { delay_ms: 60_000 } }));
    const { code, err } = await sluice('batch', 'run', input, '--out', 'slow.out.jsonl', '--timeout', '1');
    expect(code).toBe(124);
    const id = /sluice batch watch (batch_\w+) --out slow\.out\.jsonl/.exec(err)![1]!;
    expect(await sluice('batch', 'cancel', id, '--abort', '--json=status')).toMatchObject({ code: 0, out: '{"status":"cancelling"}\n' });
    expect(await sluice('batch', 'watch', id)).toMatchObject({ code: 2, err: expect.stringContaining('cancelled') as string });
  });

  test('detaches at Ctrl-C, and stays detached at the second', async () => {
    const input = await fileOf('detach.jsonl', line('a', { model: 'echo', inputs: 1, sluice_echo: { delay_ms: 60_000 } }));
    const run = start(['batch', 'run', input, '--out', 'detach.out.jsonl']);
    await run.says(' created');
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    const { code, err } = await run.ended;
    expect(code).toBe(130);
    const id = /sluice batch watch (batch_\w+)/.exec(err)![1]!;
    const { out } = await sluice('batch', 'get', id, '--json=status');
    expect(JSON.parse(out)).toMatchObject({ status: expect.stringMatching(/validating|in_progress/) as string });
    await sluice('batch', 'cancel', id, '--abort');
  });
});

describe('the other commands', () => {
  let batch: Batch;
  beforeAll(async () => {
    const input = await fileOf(
      'other.jsonl',
      line('a', { model: 'echo', inputs: 1 }) + line('b', { model: 'echo', inputs: 2, sluice_echo: { status: 400 } }),
    );
    const { out } = await sluice(
      'batch',
      'create',
      input,
      '--name',
      'others',
      '--metadata',
      'target=kinase',
      '--max-attempts',
      '2',
      '--priority',
      'high',
      '--json',
    );
    batch = JSON.parse(out) as Batch;
    await sluice('batch', 'watch', batch.id);
  });

  test('settings arrive', () => {
    expect(batch).toMatchObject({
      name: 'others',
      metadata: { target: 'kinase' },
      priority: 10,
      max_attempts: 2,
      completion_window: '24h',
    });
  });

  test('lists are tab-separated where no terminal reads them', async () => {
    const list = await sluice('batch', 'list', '--limit', '100');
    expect(list.out.split('\n').map((row) => row.split('\t').slice(0, 4))).toContainEqual([batch.id, 'others', 'completed', '2/2']);
    const requests = await sluice('request', 'list', batch.id, '--state', 'failed');
    expect(requests.out.split('\t').slice(0, 4)).toEqual(['2', expect.stringMatching(/^batch_req_/), 'b', 'failed']);
  });

  test('watch --json gives the events, one a line', async () => {
    const { out, code } = await sluice('batch', 'watch', batch.id, '--json');
    const events = out
      .trim()
      .split('\n')
      .map((text) => (JSON.parse(text) as { event: string }).event);
    expect(code).toBe(0);
    expect([events[0], events.at(-1)]).toEqual(['batch.created', 'batch.completed']);
  });

  test('requests are shown and run again', async () => {
    const id = (await sluice('request', 'list', batch.id, '--state', 'failed', '--json=id')).out;
    const [{ id: request }] = JSON.parse(id) as [{ id: string }];
    expect((await sluice('request', 'get', request)).out).toMatch(/^custom id\tb$/m);
    const retried = JSON.parse((await sluice('request', 'retry', request, '--json')).out) as Batch;
    expect(retried.continues).toBe(batch.id);
    expect((await sluice('batch', 'retry', batch.id, '--states', 'failed', '--json=continues')).out).toBe(`{"continues":"${batch.id}"}\n`);
    expect((await sluice('batch', 'clone', batch.id, '--name', 'again', '--json=name')).out).toBe('{"name":"again"}\n');
  });

  test('results are downloaded, and what is deleted is gone', async () => {
    expect((await sluice('batch', 'download', batch.id, '--out', '-')).out).toContain('"custom_id":"a"');
    expect(await sluice('batch', 'delete', batch.id)).toMatchObject({ code: 1, err: expect.stringContaining('Add --yes.') as string });
    const made = JSON.parse((await sluice('batch', 'create', 'other.jsonl', '--json')).out) as Batch;
    await sluice('batch', 'watch', made.id);
    expect((await sluice('batch', 'delete', made.id, '--yes')).code).toBe(0);
    expect(await sluice('batch', 'get', made.id)).toMatchObject({ code: 1, err: expect.stringMatching(/request id: req_\w+/) as string });
  });

  test('validate says what would be refused, and leaves no file', async () => {
    const before = (await sluice('file', 'list', '--limit', '1000')).out;
    const good = await sluice('batch', 'validate', 'other.jsonl');
    expect([good.code, good.out]).toEqual([0, expect.stringContaining('lines\t2')]);
    const input = await fileOf('invalid.jsonl', line('a', { model: 'nope', inputs: 1 }));
    const bad = await sluice('batch', 'validate', input);
    expect([bad.code, bad.out.split('\t').slice(0, 2)]).toEqual([1, ['1', 'model_not_found']]);
    expect((await sluice('file', 'list', '--limit', '1000')).out).toBe(before);
  });

  test('files go up and come down', async () => {
    const file = JSON.parse((await sluice('file', 'upload', 'other.jsonl', '--purpose', 'batch', '--json')).out) as FileObject;
    expect((await sluice('file', 'get', file.id)).out).toContain(file.sha256);
    expect((await sluice('file', 'download', file.id)).out).toBe(await readFile(join(folder, 'other.jsonl'), 'utf8'));
    expect((await sluice('file', 'delete', file.id, '--yes')).code).toBe(0);
  });

  test('api asks any route', async () => {
    const { out } = await sluice('api', 'batches?limit=1', '-i');
    expect(out).toMatch(/^200 OK\n[\s\S]*x-request-id: req_/);
    const refused = await sluice('api', `batches/${batch.id}`, '-X', 'PATCH', '-d', '{"nam":"x"}');
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('unknown_parameter') as string });
  });

  test('analytics counts', async () => {
    expect((await sluice('analytics')).out).toMatch(/^batches\t\d+ \(.*completed/m);
  });
});

describe('many at once', () => {
  const dead = (id: string) => line(id, { model: 'echo', inputs: 1, sluice_echo: { status: 503 } });
  const run = async (name: string, content: string): Promise<string> => {
    await sluice('batch', 'run', await fileOf(`${name}.jsonl`, content), '--out', `${name}.out.jsonl`, '--name', name, '-q');
    return (JSON.parse((await sluice('batch', 'list', '--json=id', '--limit', '1')).out) as { id: string }[])[0]!.id;
  };

  test('dlq lists, groups, shows, downloads, redrives and discards', async () => {
    const batch = await run('dead', dead('x') + dead('y'));
    const { out } = await sluice('dlq', 'list', '--batch', batch);
    expect(out).toMatch(/^batch_req_\w+\tx\techo@1\.0\.0\t4\t.*\n.*\ty\t.*\n$/);
    const [x, y] = out.split('\n').map((row) => row.split('\t')[0]!);
    expect((await sluice('dlq', 'list', '--batch', batch, '--causes')).out).toMatch(/^2\t1\t/);
    expect((await sluice('dlq', 'show', x!)).out).toMatch(/^status\topen$[\s\S]*^input\t\{"custom_id":"x"[\s\S]*^attempt 4\t/m);
    expect((await sluice('dlq', 'list', '--batch', batch, '--out', 'dead.letters.jsonl')).code).toBe(0);
    expect((await readFile(join(folder, 'dead.letters.jsonl'), 'utf8')).split('\n')).toHaveLength(3);

    expect(await sluice('dlq', 'discard', y!, '--reason', 'known', '--yes')).toMatchObject({ code: 0, err: '1 discarded, 0 skipped.\n' });
    expect(await sluice('dlq', 'redrive', '--batch', batch)).toMatchObject({ code: 1, err: expect.stringContaining('--yes') as string });
    // Only what it would do, and nobody is asked: the letter is still there for the next.
    expect(await sluice('dlq', 'redrive', '--batch', batch, '--dry-run')).toMatchObject({ code: 0, out: `${x}\n` });
    const redriven = await sluice('dlq', 'redrive', '--batch', batch, '--per-second', '50', '--yes', '--wait', '--json=status,counts.done');
    expect([redriven.code, JSON.parse(redriven.out)]).toEqual([0, { status: 'completed', 'counts.done': 1 }]);
    expect((await sluice('dlq', 'list', '--batch', batch)).out).toBe('');
    expect((await sluice('dlq', 'list', '--batch', batch, '--status', 'redriven')).out).toContain(x!);
    expect(await sluice('dlq', 'redrive')).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was chosen') as string });
  });

  test('bulk previews, runs, lists and stops', async () => {
    const batch = await run('bulky', dead('z'));
    const preview = await sluice('bulk', 'preview', 'retry', '--search', 'bulky');
    expect(preview).toMatchObject({ code: 0, out: `${batch}\n`, err: '1 matched, 1 eligible\n' });
    expect(await sluice('bulk', 'run', 'retry', '--search', 'bulky', '--dry-run')).toEqual(preview);
    const { out } = await sluice('bulk', 'run', 'retry', '--search', 'bulky', '--window', '15m', '--yes', '--wait', '--reason', 'again');
    expect(out).toMatch(/^status\tcompleted\ncounts\t1 matched, 1 eligible; 1 done, 0 skipped, 0 failed$/m);
    const id = /^id\t(op_\w+)/m.exec(out)![1]!;
    expect((await sluice('bulk', 'list', '--limit', '1')).out).toMatch(new RegExp(`^${id}\tretry batches\tcompleted\t1/1\t`));
    expect((await sluice('bulk', 'stop', id)).code).toBe(1);
    // Of requests, where the ids are such; one that is no dead letter is left alone.
    const request = `batch_req_${batch.slice(6, 30)}00000001`;
    const again = await sluice('bulk', 'run', 'retry', request, '--yes', '--wait');
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/a continuation runs it again[\s\S]*Nothing of that can be done/)]);
    expect((await sluice('bulk', 'get', id, '--items')).out).toBe('');
  });
});

describe('what goes wrong', () => {
  test('a key that is not known is 4', async () => {
    const { code, err } = await start(['batch', 'list'], { env: { SLUICE_API_KEY: 'nope' } }).ended;
    expect([code, err]).toEqual([4, expect.stringMatching(/Incorrect API key[\s\S]*SLUICE_API_KEY[\s\S]*req_/)]);
  });

  test('a server that is not there is 1, and says what to do', async () => {
    const { code, err } = await sluice('file', 'get', 'x', '--url', 'http://127.0.0.1:9').catch(() => ({ code: null, err: '' }));
    expect([code, err]).toEqual([1, expect.stringMatching(/cannot be reached[\s\S]*npm start/)]);
  });

  test.each([['batch', 'rnu'], ['batch', 'run'], ['nope'], ['batch', 'list', '--limit', 'x']])('%s %s is 1', async (...args) => {
    expect(await sluice(...args.filter(Boolean))).toMatchObject({ code: 1, out: '' });
  });

  test('--help is 0, and on standard output', async () => {
    expect(await sluice('batch', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('watch') as string });
  });
});

test('a file too large for one piece goes in parts', async () => {
  const client = new Client({ url: server.url, key: 'test-key', fetch });
  const bytes = Buffer.from(line('a', { model: 'echo', inputs: 'x'.repeat(700) }).repeat(5));
  const source = {
    name: 'large.jsonl',
    bytes: bytes.length,
    async *open() {
      for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
    },
  };
  const sent: number[] = [];
  const file = await upload(client, source, { purpose: 'batch', wholeBytes: 1000, partBytes: 1024, onProgress: (n) => sent.push(n) });
  expect(sent).toEqual([1024, 2048, 3072, bytes.length]);
  const reply = await client.call('GET', `/v1/files/${file.id}/content`);
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(bytes);
});
