#!/usr/bin/env node
/**
 * A SAMPLE, NOT A DESIGN. It takes the arguments of the three programs of RFantibody after their name (`rfdiffusion`,
 * `proteinmpnn`, `rf2`) and leaves the Quiver files that they leave, with numbers made from digests of the input: for
 * trying things out on a machine without a GPU, and for tests.
 *
 * RFANTIBODY_SAMPLE may hold JSON: {"fail": "rf2", "oom": "rfdiffusion", "empty": "proteinmpnn", "delay_ms": 0}
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const [stage, ...args] = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const script = JSON.parse(process.env.RFANTIBODY_SAMPLE ?? '{}');
const seed = option('-s', '');
const dice = (...of) => createHash('sha256').update(JSON.stringify([seed, ...of])).digest().readUInt32LE(0) / 2 ** 32;
const between = (low, high, ...of) => Number((low + (high - low) * dice(...of)).toFixed(4));
if (script.delay_ms) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, script.delay_ms);
if (script.fail === stage) throw new Error(`RuntimeError: ${stage} failed on purpose`);
if (script.oom === stage) throw new Error('torch.OutOfMemoryError: CUDA out of memory.');
console.log(`${stage} ${args.filter((arg) => !arg.includes('/')).join(' ')}`);

const read = (file) => {
  const designs = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('QV_TAG ')) designs.push({ tag: line.slice(7), lines: [] });
    else if (line !== '' && !line.startsWith('QV_SCORE ')) designs.at(-1).lines.push(line);
  }
  return designs;
};
const write = (file, designs) => {
  if (existsSync(file)) throw new Error(`Tag ${designs[0]?.tag} already exists in this quiver file`);
  const text = designs.map(({ tag, scores, lines }) => [`QV_TAG ${tag}`, ...(scores ? [`QV_SCORE ${tag} ${Object.entries(scores).map(([k, v]) => `${k}=${v}`).join('|')}`] : []), ...lines, ''].join('\n'));
  writeFileSync(file, script.empty === stage ? '' : text.join(''));
};

if (stage === 'rfdiffusion') {
  const atoms = ['-f', '-t'].flatMap((name) => readFileSync(option(name), 'utf8').split(/\r?\n/).filter((line) => line.startsWith('ATOM')));
  const designs = Array.from({ length: Number(option('-n', '1')) }, (_, i) => ({ tag: `ab_des_${i}`, lines: ['REMARK SAMPLE_NOT_A_DESIGN', ...atoms] }));
  write(option('-q'), designs);
} else if (stage === 'proteinmpnn') {
  const count = Number(option('-n', '1'));
  write(option('--output-quiver'), read(option('-q')).flatMap(({ tag, lines }) => Array.from({ length: count }, (_, i) => ({ tag: `${tag}_dldesign_${i}`, lines }))));
} else if (stage === 'rf2') {
  const scored = read(option('-q')).map(({ tag, lines }) => ({
    tag: `${tag}_best`,
    scores: {
      interaction_pae: between(5, 25, 'interaction', tag, lines.length),
      pae: between(4, 16, 'pae', tag, lines.length),
      pred_lddt: between(0.6, 0.95, 'lddt', tag, lines.length),
      target_aligned_antibody_rmsd: between(0.4, 4, 'rmsd', tag, lines.length),
      target_aligned_cdr_rmsd: between(0.4, 4, 'cdr', tag, lines.length),
      framework_aligned_H3_rmsd: between(0.3, 3, 'h3', tag, lines.length),
    },
    lines,
  }));
  write(option('--output-quiver'), scored);
} else {
  console.error(`Usage: rfantibody-sample rfdiffusion|proteinmpnn|rf2 …`);
  process.exit(2);
}
