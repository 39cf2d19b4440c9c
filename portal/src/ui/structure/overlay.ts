import { Mat4 } from 'molstar/lib/mol-math/linear-algebra.js';
import type { Structure } from 'molstar/lib/mol-model/structure.js';
import type { PluginStateObject } from 'molstar/lib/mol-plugin-state/objects.js';
import { StateTransforms } from 'molstar/lib/mol-plugin-state/transforms.js';
import type { PluginContext } from 'molstar/lib/mol-plugin/context.js';
import type { StateObjectSelector } from 'molstar/lib/mol-state';
import type { Color } from 'molstar/lib/mol-util/color/index.js';
import { atomOf, oneOf, type AtomAt } from './loci.ts';

type Of = StateObjectSelector<PluginStateObject.Molecule.Structure>;

/** A structure as it was read, and where all that hangs on it hangs. */
export interface Loaded {
  root: string;
  structure: Of;
}

/** Another structure, drawn where its fit lays it. */
export interface Overlay {
  cif: string;
  matrix: readonly number[];
  colour: Color;
}

/** What is drawn over a structure: others laid onto it, in one colour each, and a line between two atoms with its length. */
export const overlaysOf = (plugin: PluginContext, load: (cif: string) => Promise<Loaded>, base: Of, polymer: Of | undefined) => {
  const { structure: build } = plugin.builders;
  const { representation } = build;
  const dataOf = (of: Of): Structure | undefined => of.cell?.obj?.data;
  let roots: readonly string[] = [];
  let structures: readonly Of[] = [base];
  let line: string | null = null;
  let atoms: string | null = null;
  let listener: ((atom: AtomAt) => void) | null = null;
  // It begins with the last click, which was before anybody listened.
  let listening = false;
  plugin.behaviors.interaction.click.subscribe(({ current }) => {
    const atom = listening && listener ? atomOf(current.loci, structures.map(dataOf)) : null;
    if (atom) listener!(atom);
  });
  listening = true;
  const remove = async (refs: readonly string[]): Promise<void> => {
    const change = plugin.build();
    for (const ref of refs) change.delete(ref);
    await change.commit();
  };
  const draw = async ({ cif, matrix, colour }: Overlay): Promise<{ root: string; structure: Of }> => {
    const { root, structure } = await load(cif);
    const data = Mat4.fromArray(Mat4(), [...matrix], 0);
    const laid = (await plugin
      .build()
      .to(structure)
      .insert(StateTransforms.Model.TransformStructureConformation, { transform: { name: 'matrix', params: { data, transpose: false } } })
      .commit()) as Of;
    const [chain, ligand] = [await build.tryCreateComponentStatic(laid, 'polymer'), await build.tryCreateComponentStatic(laid, 'ligand')];
    const look = { color: 'uniform', colorParams: { value: colour } } as const;
    if (chain) await representation.addRepresentation(chain, { type: 'cartoon', ...look });
    if (ligand) await representation.addRepresentation(ligand, { type: 'ball-and-stick', ...look });
    return { root, structure: laid };
  };
  return {
    overlay: async (others: readonly Overlay[]): Promise<void> => {
      await remove(roots);
      roots = [];
      structures = [base];
      for (const other of others) {
        const { root, structure } = await draw(other);
        roots = [...roots, root];
        structures = [...structures, structure];
      }
      // What lies beyond the structure itself is not cut off.
      const { canvas3d } = plugin;
      canvas3d?.camera.setState({ radius: canvas3d.boundingSphereVisible.radius }, 0);
    },
    pick: async (picked: ((atom: AtomAt) => void) | null): Promise<void> => {
      listener = picked;
      plugin.selectionMode = picked !== null;
      plugin.managers.interactivity.setProps({ granularity: picked ? 'element' : 'residue' });
      // A cartoon has no atoms to point at.
      if (picked && polymer && atoms === null) {
        const small = { type: 'ball-and-stick', typeParams: { sizeFactor: 0.12 }, color: 'element-symbol' } as const;
        atoms = (await representation.addRepresentation(polymer, small)).ref;
      } else if (!picked && atoms !== null) {
        const shown = atoms;
        atoms = null;
        await remove([shown]);
      }
    },
    measure: async (ends: readonly [AtomAt, AtomAt] | null): Promise<void> => {
      const before = line;
      line = null;
      if (before !== null) await remove([before]);
      const [a, b] = (ends ?? []).map((end) => {
        const structure = structures[end.of] && dataOf(structures[end.of]!);
        return structure ? oneOf(structure, end) : null;
      });
      if (!a || !b) return;
      const made = await plugin.managers.structure.measurement.addDistance(a, b, { labelParams: { textSize: 1 } });
      line = made?.selection.ref ?? null;
    },
  };
};
