#!/usr/bin/env node
/**
 * A SAMPLE, NOT A PREDICTION. It takes the arguments of `boltz predict` and leaves the files that Boltz-2 leaves, with
 * numbers made from digests of the input: for trying out the way from a screen to its results on a machine without a
 * GPU, and for tests. It fails where boltz 2.2.0 fails, and how: exit code 0 for inputs it could not read, a warning for
 * those that run out of memory, and the end of the stage of affinities for all where one of them did.
 *
 * BOLTZ_SAMPLE may hold JSON: lists of texts by which ligands are picked out (part of their SMILES or CCD code).
 *   {"bad": [], "oom": [], "oom_always": [], "oom_affinity": [], "skip": [], "delay_ms": 0, "delays": {}, "oom_below": {}}
 * `oom`: runs out of memory unless it is alone; `oom_below`: gigabytes by ligand, unless BOLTZ_SAMPLE_GB is as much; `skip`: the tokenizer fails on it; `delays`: milliseconds by ligand.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { parse } from 'yaml';

const args = process.argv.slice(2);
if (args.includes('--version')) {
  console.log('boltz-sample, version 2.2.0+sample');
  process.exit(0);
}
if (args[0] !== 'predict') {
  console.error(`Usage: boltz-sample predict DATA --out_dir DIR …\n\nError: No such command '${args[0] ?? ''}'.`);
  process.exit(2);
}
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const script = JSON.parse(process.env.BOLTZ_SAMPLE ?? '{}');
const data = args[1];
const out = join(option('--out_dir', './'), `boltz_results_${basename(data)}`);
const samples = Number(option('--diffusion_samples', '1'));
const seed = option('--seed', '');

/** A number from 0 to 1 that only its arguments decide. */
const dice = (...of) => createHash('sha256').update(JSON.stringify([seed, ...of])).digest().readUInt32LE(0) / 2 ** 32;
const between = (low, high, ...of) => Number((low + (high - low) * dice(...of)).toFixed(6));

const strange = readdirSync(data).filter((name) => !name.endsWith('.yaml'));
if (strange.length > 0) throw new Error(`Unable to parse filetype of ${strange[0]}, please provide a .fasta or .yaml file.`);

// Records: those of the inputs, and those that an earlier run into the same folder has processed.
const records = new Map();
mkdirSync(join(out, 'processed', 'records'), { recursive: true });
mkdirSync(join(out, 'predictions'), { recursive: true });
for (const file of readdirSync(join(out, 'processed', 'records')))
  records.set(file.slice(0, -5), JSON.parse(readFileSync(join(out, 'processed', 'records', file), 'utf8')));
const inputs = readdirSync(data).toSorted();
console.log(`Checking input data.\nProcessing ${inputs.length} inputs with 2 threads.`);
const picked = (name, text) => (script[name] ?? []).some((part) => text.includes(part));
for (const file of inputs) {
  const id = file.slice(0, -5);
  try {
    const { version, sequences, properties } = parse(readFileSync(join(data, file), 'utf8'));
    if (version !== 1) throw new Error(`Invalid version ${version} in input!`);
    const proteins = sequences.flatMap(({ protein }) => (protein ? [protein] : []));
    const ligand = sequences.find((entry) => entry.ligand)?.ligand ?? null;
    const text = ligand?.smiles ?? ligand?.ccd ?? '';
    if (proteins.some(({ msa }) => msa === undefined) && !args.includes('--use_msa_server'))
      throw new Error("Missing MSA's in input and --use_msa_server flag not set.");
    if (picked('bad', text)) throw new Error('Failed to compute 3D conformer for molecule');
    records.set(id, { id, proteins, ligand, text, affinity: (properties ?? []).some(({ affinity }) => affinity) });
    writeFileSync(join(out, 'processed', 'records', `${id}.json`), JSON.stringify(records.get(id)));
  } catch (error) {
    console.log(`Failed to process ${join(data, file)}. Skipping. Error: ${error.message}.`);
  }
}
writeFileSync(join(out, 'processed', 'manifest.json'), JSON.stringify({ records: [...records.keys()] }));

const three = { A: 'ALA', R: 'ARG', N: 'ASN', D: 'ASP', C: 'CYS', Q: 'GLN', E: 'GLU', G: 'GLY', H: 'HIS', I: 'ILE', L: 'LEU', K: 'LYS', M: 'MET', F: 'PHE', P: 'PRO', S: 'SER', T: 'THR', W: 'TRP', Y: 'TYR', V: 'VAL', X: 'UNK' };
const columns = ['group_PDB', 'id', 'type_symbol', 'label_atom_id', 'label_alt_id', 'label_comp_id', 'label_seq_id', 'auth_seq_id', 'pdbx_PDB_ins_code', 'label_asym_id', 'Cartn_x', 'Cartn_y', 'Cartn_z', 'occupancy', 'label_entity_id', 'auth_asym_id', 'auth_comp_id', 'B_iso_or_equiv', 'pdbx_PDB_model_num'];

/** Where a prediction lies: each in a frame of its own, turned around an axis and moved, as Boltz-2 leaves them. */
const frameOf = (...of) => {
  const [turn, tilt] = [2 * Math.PI * dice('turn', ...of), Math.PI * dice('tilt', ...of)];
  const [c, s, d, t] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  const [right, up, ahead] = ['x', 'y', 'z'].map((axis) => between(-20, 20, axis, ...of));
  return ([x, y, z]) => [c * x - s * y + right, d * (s * x + c * y) - t * z + up, t * (s * x + c * y) + d * z + ahead];
};

/** Alpha carbons about a helix, and the ligand's heavy atoms on a ring beside it. */
const structure = ({ proteins, ligand, text }, rank) => {
  const place = frameOf(text, rank);
  const near = (value, ...of) => value + between(-0.4, 0.4, text, rank, ...of);
  const rows = [];
  const plddt = [];
  const atom = (group, symbol, name, residue, number, chain, at, entity, score) => {
    const [x, y, z] = place(at);
    const auth = number === '.' ? 1 : number;
    rows.push([group, rows.length + 1, symbol, name, '.', residue, number, auth, '?', chain, ...[x, y, z].map((v) => v.toFixed(5)), 1, entity, chain, residue, (100 * score).toFixed(3), 1].join(' '));
    plddt.push(score);
  };
  let entity = 0;
  for (const { id, sequence } of proteins) {
    entity++;
    for (const chain of [id].flat())
      for (const [i, letter] of [...sequence].entries()) {
        const turn = (i * 100 * Math.PI) / 180;
        const helix = [2.3 * Math.cos(turn) + 14 * (entity - 1), 2.3 * Math.sin(turn), 1.5 * i];
        const at = helix.map((value, axis) => near(value, chain, i, axis));
        atom('ATOM', 'C', 'CA', three[letter], i + 1, chain, at, entity, between(0.7, 0.98, sequence, i, rank));
      }
  }
  if (ligand !== null) {
    entity++;
    const symbols = text.match(/Cl|Br|[BCNOPSFI]|[cnops]/g) ?? ['C'];
    for (const [i, symbol] of symbols.entries()) {
      const turn = (i * 2 * Math.PI) / Math.max(6, symbols.length);
      const at = [8 + 3 * Math.cos(turn), 3 * Math.sin(turn), 20 + 0.1 * i];
      atom('HETATM', symbol.toUpperCase(), `${symbol.toUpperCase()}${i + 1}`, 'LIG1', '.', ligand.id, at, entity, between(0.5, 0.95, text, i, rank));
    }
  }
  const head = ['data_model', '_entry.id model', '_struct.entry_id model', '_struct.title SAMPLE_NOT_A_PREDICTION', '#', 'loop_', ...columns.map((name) => `_atom_site.${name}`)];
  return { cif: `${[...head, ...rows, '#'].join('\n')}\n`, plddt };
};

/** A NumPy archive of one array of float32. */
const npz = (name, values, sizes = [values.length]) => {
  const shape = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes.join(', ')},), }`;
  const header = Buffer.from(`${shape.padEnd(117)}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const array = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, Buffer.from(new Float32Array(values).buffer)]);
  const file = Buffer.from(`${name}.npy`);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(array), 10);
  common.writeUInt32LE(array.length, 14);
  common.writeUInt32LE(array.length, 18);
  common.writeUInt16LE(file.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, file, array]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, Buffer.alloc(14), file]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
};

/** Errors in Å between any two tokens, each a residue or an atom of the ligand: larger from far away, and where the model is unsure. */
const aligned = (plddt) =>
  plddt.flatMap((on, i) => plddt.map((of, j) => Math.min(31.75, 0.25 + 0.12 * Math.abs(i - j) + 12 * (1 - of) + 6 * (1 - on))));

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const predict = (record) => {
  const { id, proteins, text } = record;
  const folder = join(out, 'predictions', id);
  mkdirSync(folder, { recursive: true });
  for (let rank = 0; rank < samples; rank++) {
    const { cif, plddt } = structure(record, rank);
    const key = [proteins.map(({ sequence }) => sequence), text, rank];
    const [iptm, ptm] = [between(0.3, 0.95, 'iptm', ...key) - 0.001 * rank, between(0.6, 0.95, 'ptm', ...key)];
    const complex = Number(mean(plddt).toFixed(6));
    const chains = [...proteins.flatMap((protein) => [protein.id].flat()), ...(record.ligand ? [record.ligand.id] : [])];
    const pairs = Object.fromEntries(chains.map((_, a) => [a, Object.fromEntries(chains.map((__, b) => [b, a === b ? ptm : iptm]))]));
    const confidence = {
      confidence_score: (4 * complex + (iptm === 0 ? ptm : iptm)) / 5,
      ptm,
      iptm,
      ligand_iptm: record.ligand ? iptm : 0,
      protein_iptm: proteins.length > 1 ? iptm : 0,
      complex_plddt: complex,
      complex_iplddt: Number((complex * 0.96).toFixed(6)),
      complex_pde: between(0.3, 2, 'pde', ...key),
      complex_ipde: between(0.5, 4, 'ipde', ...key),
      chains_ptm: Object.fromEntries(chains.map((_, a) => [a, ptm])),
      pair_chains_iptm: pairs,
    };
    writeFileSync(join(folder, `${id}_model_${rank}.cif`), cif);
    writeFileSync(join(folder, `confidence_${id}_model_${rank}.json`), JSON.stringify(confidence, null, 4));
    writeFileSync(join(folder, `plddt_${id}_model_${rank}.npz`), npz('plddt', plddt));
    if (args.includes('--write_full_pae')) writeFileSync(join(folder, `pae_${id}_model_${rank}.npz`), npz('pae', aligned(plddt), [plddt.length, plddt.length]));
  }
  if (record.affinity) writeFileSync(join(folder, `pre_affinity_${id}.npz`), npz('coords', [0]));
};

const rest = (text) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, script.delays?.[text] ?? script.delay_ms ?? 0);
// Any folder counts as done, also an empty one.
const todo = [...records.values()].filter(({ id }) => !existsSync(join(out, 'predictions', id)));
let failed = 0;
if (todo.length > 0) console.log(`Running structure prediction for ${todo.length} inputs.`);
for (const record of todo) {
  const { id, text } = record;
  rest(text);
  const tooSmall = (script.oom_below?.[text] ?? 0) > Number(process.env.BOLTZ_SAMPLE_GB ?? Infinity);
  if (tooSmall || picked('oom_always', text) || (picked('oom', text) && records.size > 1)) {
    console.log('| WARNING: ran out of memory, skipping batch');
    failed++;
  } else if (picked('skip', text)) {
    console.log(`Tokenizer failed on ${id} with error list index out of range. Skipping.`);
    const [first] = todo;
    if (first === record) throw new Error('RecursionError: maximum recursion depth exceeded');
    predict(first);
  } else predict(record);
}
if (todo.length > 0) console.log(`Number of failed examples: ${failed}`);

const wanted = [...records.values()].filter(({ id, affinity }) => affinity && !existsSync(join(out, 'predictions', id, `affinity_${id}.json`)));
if (wanted.length > 0) {
  console.log(`\nPredicting property: affinity\n\nChecking input data for affinity.\nRunning affinity prediction for ${wanted.length} inputs.`);
  let without = 0;
  // The loader meets a missing structure outside of any net: the stage ends for all that have not been written.
  for (const { id } of wanted) {
    const file = join(out, 'predictions', id, `pre_affinity_${id}.npz`);
    if (!existsSync(file)) throw new Error(`FileNotFoundError: [Errno 2] No such file or directory: '${file}'`);
  }
  for (const { id, proteins, text } of wanted) {
    if (picked('oom_affinity', text) && records.size > 1) {
      console.log('| WARNING: ran out of memory, skipping batch');
      without++;
      continue;
    }
    const key = [proteins.map(({ sequence }) => sequence), text];
    const [value1, value2] = [between(-2.5, 2, 'value1', ...key), between(-2.5, 2, 'value1', ...key) + between(-0.2, 0.2, 'value2', ...key)];
    const [odds1, odds2] = [between(0.05, 0.95, 'odds1', ...key), between(0.05, 0.95, 'odds2', ...key)];
    const affinity = {
      affinity_pred_value: (value1 + value2) / 2,
      affinity_probability_binary: (odds1 + odds2) / 2,
      affinity_pred_value1: value1,
      affinity_probability_binary1: odds1,
      affinity_pred_value2: value2,
      affinity_probability_binary2: odds2,
    };
    writeFileSync(join(out, 'predictions', id, `affinity_${id}.json`), JSON.stringify(affinity, null, 4));
  }
  console.log(`Number of failed examples: ${without}`);
}
