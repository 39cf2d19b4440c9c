import { expect, test } from 'vitest';
import { depict } from './depict.ts';
import { Rdkit } from './rdkit.ts';

const rdkit = await Rdkit.load();

/** Which layout a drawing left behind. */
const layoutOf = (smiles: string): 'usual' | 'CoordGen' | 'another' | null =>
  rdkit.use<'usual' | 'CoordGen' | 'another' | null>(
    smiles,
    (molecule) => {
      const made = (coordGen: boolean) => {
        molecule.set_new_coords(coordGen);
        return JSON.stringify(molecule.get_coords());
      };
      const [usual, other] = [made(false), made(true)];
      depict(rdkit, molecule, { width: 250, height: 200, theme: 'light' });
      const drawn = JSON.stringify(molecule.get_coords());
      return drawn === usual ? 'usual' : drawn === other ? 'CoordGen' : 'another';
    },
    () => null,
  );

test('the usual layout, and CoordGen’s where bonds cross in that one', () => {
  expect(layoutOf('CC(=O)Oc1ccccc1C(=O)O')).toBe('usual');
  // A morphinan and a tropane, whose bridges RDKit draws across each other.
  expect(layoutOf('C=CCN1CC[C@]23CCCC[C@H]2[C@H]1Cc1ccc(O)cc13')).toBe('CoordGen');
  expect(layoutOf('CC(C)[N+]1(C)C2CCC1CC(OC(=O)C(CO)c1ccccc1)C2')).toBe('CoordGen');
});
