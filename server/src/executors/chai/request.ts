import { chaiDefaults, ChaiInputs, ChaiParameters } from '@sluice/contract';
import { Compile } from 'typebox/compile';
import { BadRequest, place } from '../bad-request.ts';
import type { JsonObject } from '../executor.ts';

export interface ChaiRequest {
  entities: { type: ChaiInputs['entities'][number]['type']; name: string; text: string }[];
  restraints: NonNullable<ChaiInputs['restraints']>;
  parameters: ChaiParameters;
}

const inputs = Compile(ChaiInputs);
const parameters = Compile(ChaiParameters);

/** Tokens of the largest bucket; an input beyond it is refused by the tool, after it was loaded. */
const mostTokens = 2_048;

/** Reads a line's body: `inputs`, and `parameters` beside them. */
export const readRequest = (body: JsonObject): ChaiRequest => {
  const given = body['inputs'];
  if (!inputs.Check(given)) {
    const [error] = inputs.Errors(given);
    throw new BadRequest(`inputs${place(error?.instancePath ?? '')} ${error?.message ?? 'is not what Chai-1 takes'}.`);
  }
  const asked = { ...chaiDefaults, ...(body['parameters'] as object | undefined) };
  const unknown = Object.keys(asked).find((name) => !Object.hasOwn(chaiDefaults, name));
  if (unknown !== undefined) throw new BadRequest(`parameters.${unknown} is not known; known are ${Object.keys(chaiDefaults).join(', ')}.`);
  if (!parameters.Check(asked)) {
    const [error] = parameters.Errors(asked);
    throw new BadRequest(`parameters${place(error?.instancePath ?? '')} ${error?.message ?? 'is not allowed'}.`);
  }
  const names = new Set<string>();
  let residues = 0;
  const entities = given.entities.map((entity, i) => {
    const name = entity.name ?? `${entity.type}-${i + 1}`;
    if (names.has(name)) throw new BadRequest(`inputs.entities.${i}.name '${name}' is there twice.`);
    names.add(name);
    const text =
      'sequence' in entity
        ? entity.sequence.replaceAll(/\s+/g, '').toUpperCase()
        : ('smiles' in entity ? entity.smiles : entity.glycan).trim();
    if (text === '' || /[\r\n>]/.test(text)) throw new BadRequest(`inputs.entities.${i} holds no ${entity.type}.`);
    if ('sequence' in entity) residues += text.length;
    return { type: entity.type, name, text };
  });
  if (residues > mostTokens) throw new BadRequest(`inputs.entities have ${residues} residues; Chai-1 takes ${mostTokens} tokens.`);
  const restraints = given.restraints ?? [];
  for (const [i, { chain_a, chain_b }] of restraints.entries())
    for (const chain of [chain_a, chain_b])
      if (chain.charCodeAt(0) - 65 >= entities.length)
        throw new BadRequest(`inputs.restraints.${i} names chain '${chain}'; there are ${entities.length} entities.`);
  return { entities, restraints, parameters: asked };
};

/** The tool's input: an entity a record, in order. */
export const fasta = ({ entities }: ChaiRequest): string =>
  entities.map(({ type, name, text }) => `>${type}|name=${name}\n${text}\n`).join('');

/** Restraints as the tool reads them. */
export const restraintsCsv = ({ restraints }: ChaiRequest): string =>
  [
    'restraint_id,chainA,res_idxA,chainB,res_idxB,connection_type,confidence,min_distance_angstrom,max_distance_angstrom,comment',
    ...restraints.map((r, i) =>
      [
        `restraint${i + 1}`,
        r.chain_a,
        r.residue_a ?? '',
        r.chain_b,
        r.residue_b ?? '',
        r.type,
        r.confidence ?? 1,
        r.min_distance ?? 0,
        r.max_distance ?? 5.5,
        '',
      ].join(','),
    ),
    '',
  ].join('\n');
