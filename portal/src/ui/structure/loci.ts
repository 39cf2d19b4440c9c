import { Bond, StructureElement, StructureProperties, type Structure } from 'molstar/lib/mol-model/structure.js';
import type { Loci } from 'molstar/lib/mol-model/loci.js';
import { OrderedSet } from 'molstar/lib/mol-data/int.js';
import { Vec3 } from 'molstar/lib/mol-math/linear-algebra.js';

/** An atom of what is shown, and where it is drawn. */
export interface AtomAt {
  /** 0: of the structure itself; from 1: of those drawn over it. */
  of: number;
  chain: string;
  number: number;
  residue: string;
  name: string;
  /** In Å, as it lies after a fit. */
  at: readonly [number, number, number];
}

const { atom: ofAtom, chain: ofChain, residue: ofResidue } = StructureProperties;

type At = StructureElement.Location;

const numberOf = (location: At): number => ofResidue.label_seq_id(location) || ofResidue.auth_seq_id(location) || 1;

/** The atoms of a structure that are meant; nothing where there is none. */
export const atomsWhere = (structure: Structure, meant: (location: At) => boolean): StructureElement.Loci | null => {
  const location = StructureElement.Location.create(structure);
  const elements: StructureElement.Loci.Element[] = [];
  for (const unit of structure.units) {
    location.unit = unit;
    const indices = Array.from({ length: unit.elements.length }, (_, i) => i).filter((i) => {
      location.element = unit.elements[i]!;
      return meant(location);
    });
    if (indices.length > 0) elements.push({ unit, indices: Int32Array.from(indices) as never });
  }
  return elements.length === 0 ? null : StructureElement.Loci(structure, elements);
};

export const residueOf = (structure: Structure, chain: string, number: number): StructureElement.Loci | null =>
  atomsWhere(structure, (location) => ofChain.label_asym_id(location) === chain && numberOf(location) === number);

export const oneOf = (structure: Structure, { chain, number, name }: AtomAt): StructureElement.Loci | null =>
  atomsWhere(
    structure,
    (location) => ofAtom.label_atom_id(location) === name && ofChain.label_asym_id(location) === chain && numberOf(location) === number,
  );

/** The atom that was pointed at: of a residue that is drawn as a whole, its alpha carbon; of a bond, its first. */
export const atomOf = (loci: Loci, structures: readonly (Structure | undefined)[]): AtomAt | null => {
  const found = Bond.isLoci(loci) ? Bond.toFirstStructureElementLoci(loci) : loci;
  if (!StructureElement.Loci.is(found) || found.elements.length === 0) return null;
  const { unit, indices } = found.elements[0]!;
  // What is drawn is a part, moved perhaps: of which file it is, its model says.
  const of = structures.findIndex((each) => each?.models.includes(unit.model));
  if (of < 0) return null;
  const location = StructureElement.Location.create(found.structure, unit, unit.elements[OrderedSet.start(indices)]);
  for (let i = 0; i < OrderedSet.size(indices); i++) {
    const element = unit.elements[OrderedSet.getAt(indices, i)]!;
    if (ofAtom.label_atom_id({ ...location, element }) === 'CA') location.element = element;
  }
  const [x, y, z] = unit.conformation.position(location.element, Vec3());
  return {
    of,
    chain: ofChain.label_asym_id(location),
    number: numberOf(location),
    residue: ofAtom.label_comp_id(location),
    name: ofAtom.label_atom_id(location),
    at: [x!, y!, z!],
  };
};
