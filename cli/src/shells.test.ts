import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatLine, createBatch } from '../../server/test/support/requests.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';
import { program } from './program.ts';
import { completion, shells, type Shell } from './shells.ts';

const bin = fileURLToPath(new URL('../bin', import.meta.url));
const has = (shell: Shell): boolean => spawnSync(shell, ['--version']).status === 0;

let server: Sluice;
let folder: string;
let id: string;
beforeAll(async () => {
  server = await startSluice({ workers: 0 });
  ({ id } = await createBatch(server.client, [chatLine('a')]));
  folder = await mkdtemp(join(tmpdir(), 'sluice-shells-'));
  for (const shell of shells) await writeFile(join(folder, shell), completion(program(), shell));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Each shell's own way to be asked what may follow. */
const asking: Record<Shell, (words: string[]) => string> = {
  bash: (words) =>
    `. ./bash; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}; _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // What it hands to the line editor is said instead.
  zsh: (words) =>
    `compdef() {}; _files() {}; compadd() { print -l -- "\${(@P)2}" }; _describe() { print -l -- "\${(@P)\${@[-1]}%%:*}" }; . ./zsh; words=(${words.map((word) => `'${word}'`).join(' ')}) CURRENT=${words.length}; _sluice`,
  fish: (words) => `source fish; complete -C '${words.join(' ')}'`,
};

const complete = async (shell: Shell, ...words: string[]): Promise<string[]> => {
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: folder, SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(shell, ['-c', asking[shell](['sluice', ...words])], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect([code, err]).toEqual([0, '']);
  const found = out.split('\n').map((line) => line.split('\t')[0]!);
  return found.filter((word) => word !== '' && word.startsWith(words.at(-1)!));
};

for (const shell of shells)
  test.skipIf(!has(shell))(`${shell} completes commands, options of the command and ids of the server`, async () => {
    expect(await complete(shell, 'ba')).toEqual(['batch']);
    expect(await complete(shell, 'batch', 'ca')).toEqual(['cancel']);
    expect(await complete(shell, 'batch', 'results', id, '--f')).toEqual(['--format']);
    expect(await complete(shell, '--quiet', 'batch', 'get', '')).toContain(id);
    expect(await complete(shell, 'request', 'list', 'batch_')).toEqual([id]);
    expect(await complete(shell, 'model', 'get', 'ec')).toEqual([expect.stringMatching(/^echo/)]);
  });
