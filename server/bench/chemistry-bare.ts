/** The loop a person would write without Sluice: RDKit in one process, one thread, each molecule checked and written. */
import rdkit from '@rdkit/rdkit';

export interface BareCheck {
  smiles: string[];
  inchikey: boolean;
}

let job: BareCheck;
const chemistry = await rdkit.default();
chemistry.disable_logging();

const run = (): number => {
  let characters = 0;
  for (const smiles of job.smiles) {
    const molecule = chemistry.get_mol(smiles);
    if (!molecule) continue;
    characters += molecule.get_smiles().length;
    if (job.inchikey) characters += chemistry.get_inchikey_for_inchi(molecule.get_inchi()).length;
    molecule.delete();
  }
  return characters;
};

process.on('message', (message: BareCheck | 'go') => {
  if (message === 'go') process.send!(run());
  else {
    job = message;
    process.send!('ready');
  }
});
