/**
 * The loop a person would write without Sluice: RDKit and onnxruntime-node in one process, one thread. Told what to
 * run by its parent, it says when it is ready, waits, and says how long it took.
 */
import { readFileSync } from 'node:fs';
import rdkit from '@rdkit/rdkit';
import { InferenceSession, Tensor } from 'onnxruntime-node';

export interface BareJob {
  model: string;
  /** Either the molecules, or a file of float32 rows. */
  smiles?: string[];
  matrix?: string;
  /** Write the canonical SMILES and the InChIKey of each molecule as well, as Sluice does of those in tables. */
  identities?: boolean;
  batch: number;
}

const columns = 2064;
const descriptors =
  'CrippenClogP CrippenMR tpsa labuteASA NumHeavyAtoms NumHeteroatoms NumRotatableBonds NumHBD lipinskiHBA FractionCSP3 NumAromaticRings NumAromaticHeterocycles NumAmideBonds chi0v chi1v chi3v'.split(
    ' ',
  );
const fingerprint = JSON.stringify({ radius: 2, nBits: 2048 });

const prepare = async (job: BareJob): Promise<() => Promise<number>> => {
  const session = await InferenceSession.create(job.model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const predict = async (rows: Float32Array) => {
    const results = await session.run({ X: new Tensor('float32', rows, [rows.length / columns, columns]) });
    return results['y']!.dims[0]!;
  };
  if (job.matrix) {
    const bytes = readFileSync(job.matrix);
    const matrix = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    return async () => {
      let done = 0;
      for (let at = 0; at < matrix.length; at += job.batch * columns) done += await predict(matrix.subarray(at, at + job.batch * columns));
      return done;
    };
  }
  const chemistry = await rdkit.default();
  chemistry.disable_logging();
  return async () => {
    let done = 0;
    for (let at = 0; at < job.smiles!.length; at += job.batch) {
      const features = new Float32Array(job.batch * columns);
      let row = 0;
      for (const smiles of job.smiles!.slice(at, at + job.batch)) {
        const molecule = chemistry.get_mol(smiles);
        if (!molecule) continue;
        try {
          if (job.identities) {
            molecule.get_smiles();
            chemistry.get_inchikey_for_inchi(molecule.get_inchi());
          }
          const bits = molecule.get_morgan_fp_as_uint8array(fingerprint);
          for (let bit = 0; bit < 2048; bit++) features[row * columns + bit] = (bits[bit >> 3]! >> (bit & 7)) & 1;
          const values = JSON.parse(molecule.get_descriptors()) as Record<string, number>;
          for (let i = 0; i < 16; i++) features[row * columns + 2048 + i] = values[descriptors[i]!]!;
          row++;
        } finally {
          molecule.delete();
        }
      }
      if (row > 0) done += await predict(features.subarray(0, row * columns));
    }
    return done;
  };
};

let run: () => Promise<number>;
process.on('message', (message: BareJob | 'go') => {
  void (async () => {
    if (message === 'go') {
      const began = performance.now();
      const rows = await run();
      process.send!({ rows, ms: performance.now() - began });
    } else {
      run = await prepare(message);
      process.send!('ready');
    }
  })();
});
