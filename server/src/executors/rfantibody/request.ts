import { rfAntibodyDefaults, RfAntibodyInputs, RfAntibodyParameters } from '@sluice/contract';
import { Compile } from 'typebox/compile';
import { BadRequest, place } from '../bad-request.ts';
import type { JsonObject } from '../executor.ts';

export interface RfAntibodyRequest {
  target: string;
  framework: string;
  hotspots: string[];
  loops: Record<string, string>;
  parameters: RfAntibodyParameters;
}

const inputs = Compile(RfAntibodyInputs);
const parameters = Compile(RfAntibodyParameters);

const lineOf = /^(?:ATOM {2}|HETATM).{15}(.)(.{4})..{3}(.{8})(.{8})(.{8})/;

/** The residues of a PDB text, `A12`; its columns are checked, so that the tool does not find out later. */
const residuesOf = (pdb: string, where: string): Set<string> => {
  const residues = new Set<string>();
  for (const [i, line] of pdb.split(/\r?\n/).entries()) {
    if (!/^(ATOM|HETATM)/.test(line)) continue;
    const found = lineOf.exec(line);
    const numbers = found && [found[2], ...found.slice(3, 6)].map(Number);
    if (!found || numbers!.some((value) => !Number.isFinite(value)))
      throw new BadRequest(`${where} has a line that is no atom of a PDB file: line ${i + 1}.`);
    if (line.startsWith('ATOM')) residues.add(`${found[1]}${numbers![0]}`);
  }
  if (residues.size === 0) throw new BadRequest(`${where} has no atom.`);
  return residues;
};

const rangeOf = (text: string): boolean => {
  const [least, most = least] = text.split('-').map(Number);
  return least! > 0 && least! <= most! && most! <= 40;
};

/** Reads a line's body: `inputs`, and `parameters` beside them. */
export const readRequest = (body: JsonObject): RfAntibodyRequest => {
  const given = body['inputs'];
  if (!inputs.Check(given)) {
    const [error] = inputs.Errors(given);
    throw new BadRequest(`inputs${place(error?.instancePath ?? '')} ${error?.message ?? 'is not what RFantibody takes'}.`);
  }
  const asked = { ...rfAntibodyDefaults, ...(body['parameters'] as object | undefined) };
  const unknown = Object.keys(asked).find((name) => !Object.hasOwn(rfAntibodyDefaults, name));
  if (unknown !== undefined)
    throw new BadRequest(`parameters.${unknown} is not known; known are ${Object.keys(rfAntibodyDefaults).join(', ')}.`);
  if (!parameters.Check(asked)) {
    const [error] = parameters.Errors(asked);
    throw new BadRequest(`parameters${place(error?.instancePath ?? '')} ${error?.message ?? 'is not allowed'}.`);
  }
  const target = residuesOf(given.target, 'inputs.target');
  const framework = new Set([...residuesOf(given.framework, 'inputs.framework')].map((residue) => residue[0]!));
  if (!framework.has('H')) throw new BadRequest('inputs.framework has no chain H: it must be in HLT format.');
  if (!/^REMARK PDBinfo-LABEL:/m.test(given.framework))
    throw new BadRequest('inputs.framework marks no loops: it must be in HLT format, with lines `REMARK PDBinfo-LABEL`.');
  for (const [i, hotspot] of given.hotspots.entries())
    if (!target.has(hotspot)) throw new BadRequest(`inputs.hotspots.${i} is ${hotspot}, which is no residue of the target.`);
  const loops = given.loops ?? {};
  for (const [loop, length] of Object.entries(loops)) {
    if (!rangeOf(length)) throw new BadRequest(`inputs.loops.${loop} must be a length from 1 to 40, or a range of them.`);
    if (loop.startsWith('L') && !framework.has('L')) throw new BadRequest(`inputs.loops.${loop}: the framework has no chain L.`);
  }
  return { target: given.target, framework: given.framework, hotspots: given.hotspots, loops, parameters: asked };
};
