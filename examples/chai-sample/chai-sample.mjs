#!/usr/bin/env node
/**
 * A SAMPLE, NOT A PREDICTION. It takes the arguments of `chai-lab fold` and leaves the files that chai-lab 0.6.1 leaves,
 * with numbers made from digests of the input: for trying things out on a machine without a GPU, and for tests.
 *
 * CHAI_SAMPLE may hold JSON: {"oom": ["text of an entity"], "refuse": ["…"], "cut": ["…"], "delays": {"…": 1000}}
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const args = process.argv.slice(2);
if (args[0] !== 'fold' || args.length < 3) {
  console.error('Usage: chai-sample fold [OPTIONS] FASTA_FILE OUTPUT_DIR');
  process.exit(2);
}
const [input, out] = args.slice(-2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const samples = Number(option('--num-diffn-samples', '5'));
const seed = option('--seed', '');
const script = JSON.parse(process.env.CHAI_SAMPLE ?? '{}');
if (existsSync(out) && readdirSync(out).length > 0) throw new Error(`AssertionError: Output directory ${out} is not empty.`);

const dice = (...of) => createHash('sha256').update(JSON.stringify([seed, ...of])).digest().readUInt32LE(0) / 2 ** 32;
const between = (low, high, ...of) => low + (high - low) * dice(...of);
const entities = readFileSync(input, 'utf8').split('>').slice(1).map((record) => {
  const [head, ...lines] = record.trim().split('\n');
  const [type, name] = head.split('|name=');
  return { type, name, text: lines.join('') };
});
const key = entities.map(({ type, text }) => [type, text]);
const picked = (name) => (script[name] ?? []).some((part) => entities.some(({ text }) => text.includes(part)));
for (const [part, ms] of Object.entries(script.delays ?? {}))
  if (entities.some(({ text }) => text === part)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
console.log(`Folding ${entities.length} entities.`);
if (picked('refuse')) throw new Error('UnsupportedInputError: Too many tokens in input: 2100 > 2048');
if (picked('oom')) throw new Error('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 8.00 GiB.');

const npz = (arrays) => {
  const locals = [];
  const centrals = [];
  let offset = 0;
  for (const [name, { type = '<f4', shape, values }] of Object.entries(arrays)) {
    const head = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.length === 1 ? `${shape[0]},` : shape.join(', ')}), }`;
    const header = Buffer.from(`${head.padEnd(117)}\n`, 'latin1');
    const length = Buffer.alloc(2);
    length.writeUInt16LE(header.length);
    const data = type === '|b1' ? Buffer.from(values) : Buffer.from(new Float32Array(values).buffer);
    const array = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, data]);
    const file = Buffer.from(`${name}.npy`);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(array), 10);
    common.writeUInt32LE(array.length, 14);
    common.writeUInt32LE(array.length, 18);
    common.writeUInt16LE(file.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, file, array]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, file]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(centrals.length, 8);
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
};

mkdirSync(out, { recursive: true });
const columns = ['group_PDB', 'id', 'type_symbol', 'label_atom_id', 'label_comp_id', 'label_asym_id', 'label_seq_id', 'Cartn_x', 'Cartn_y', 'Cartn_z', 'B_iso_or_equiv'];
for (let index = 0; index < samples; index++) {
  const rows = [];
  for (const [e, { type, text }] of entities.entries())
    for (const [i, letter] of Array.from(text).entries()) {
      const turn = (i * 100 * Math.PI) / 180;
      const at = [2.3 * Math.cos(turn) + 14 * e, 2.3 * Math.sin(turn), 1.5 * i].map((v) => v.toFixed(3));
      const polymer = type === 'protein' || type === 'dna' || type === 'rna';
      rows.push([polymer ? 'ATOM' : 'HETATM', rows.length + 1, 'C', polymer ? 'CA' : `C${i + 1}`, polymer ? letter : 'LIG', String.fromCharCode(65 + e), i + 1, ...at, (100 * between(0.5, 0.98, key, e, i, index)).toFixed(2)].join(' '));
    }
  const cif = ['data_model', '_struct.title SAMPLE_NOT_A_PREDICTION', 'loop_', ...columns.map((name) => `_atom_site.${name}`), ...rows, '#', ''].join('\n');
  writeFileSync(join(out, `pred.model_idx_${index}.cif`), picked('cut') ? cif.slice(0, 40) : cif);
  const [ptm, iptm] = [between(0.5, 0.95, 'ptm', key, index), between(0.2, 0.95, 'iptm', key, index)];
  const chains = entities.length;
  writeFileSync(
    join(out, `scores.model_idx_${index}.npz`),
    npz({
      aggregate_score: { shape: [1], values: [0.2 * ptm + 0.8 * iptm] },
      ptm: { shape: [1], values: [ptm] },
      iptm: { shape: [1], values: [iptm] },
      per_chain_ptm: { shape: [1, chains], values: Array(chains).fill(ptm) },
      per_chain_pair_iptm: { shape: [1, chains, chains], values: Array(chains * chains).fill(iptm) },
      has_inter_chain_clashes: { type: '|b1', shape: [1], values: [0] },
      chain_chain_clashes: { shape: [1, chains, chains], values: Array(chains * chains).fill(0) },
    }),
  );
}
console.log('Done.');
