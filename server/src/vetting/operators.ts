import { newest, refusedOperators } from './fields.ts';
import { Malformed } from './wire.ts';

/** A file that is well formed and may not be loaded: why, and what to do about it. */
export class Refused extends Error {
  readonly hint: string;
  readonly path: string[] = [];

  constructor(reason: string, hint: string) {
    super(reason);
    this.hint = hint;
  }
}

export const hints = {
  forged: 'The file is damaged or was not written by an ONNX exporter; export it again and check it with onnx.checker.',
  external: 'Save the model in one file: onnx.save_model(model, path, save_as_external_data=False).',
  opset: 'Export it for an older opset, or convert it with onnx.version_converter.',
  domain: `Operators may be of ${[...newest.opsets.keys()].join(', ')}, or functions that the file itself defines.`,
  size: 'Simplify the model (onnxsim, or ONNX Runtime with an optimised output file) and upload that.',
};

/** Node counts by operator; of a function or of the graph. */
export type Counts = Map<string, number>;

export const operatorName = (domain: string, operator: string): string =>
  domain === '' || domain === 'ai.onnx' ? operator : `${domain}:${operator}`;

export const checkVersions = (ir: number, opsets: ReadonlyMap<string, number>): void => {
  if (ir < 1) throw new Malformed('It does not say which version of the format it has.');
  if (ir > newest.ir) throw new Refused(`It has IR version ${ir}; the newest that can be run is ${newest.ir}.`, hints.opset);
  // Before IR version 3 there was one operator set.
  if (opsets.size === 0 && ir >= 3) throw new Malformed('It does not say which operator sets it needs.');
  for (const [domain, version] of opsets) {
    const last = newest.opsets.get(domain);
    if (version < 1) throw new Malformed(`Its operator set ${domain} has version ${version}.`);
    if (last !== undefined && version > last)
      throw new Refused(`It needs opset ${version} of ${domain}; the newest that can be run is ${last}.`, hints.opset);
  }
};

/** Operators are known or are functions of the file, and functions unfold to a bounded number of nodes. */
export const checkOperators = (graph: Counts, bodies: ReadonlyMap<string, Counts>, limits: { nodes: number; depth: number }): void => {
  const sizes = new Map<string, number>();
  const sizeOf = (counts: Counts, above: readonly string[]): number => {
    if (above.length > limits.depth) throw new Refused(`Its functions call each other more than ${limits.depth} deep.`, hints.size);
    let size = 0;
    for (const [operator, count] of counts) {
      const body = bodies.get(operator);
      if (!body) {
        const colon = operator.lastIndexOf(':');
        const domain = colon < 0 ? 'ai.onnx' : operator.slice(0, colon);
        if (operator.slice(colon + 1) === '') throw new Malformed('A node has no operator.');
        if (!newest.opsets.has(domain))
          throw new Refused(`The operator ${operator} is of the domain ${domain}, which cannot be run.`, hints.domain);
        if (refusedOperators.has(operator))
          throw new Refused(`The operator ${operator} is not allowed: it loads other files.`, hints.external);
        size += count;
        continue;
      }
      if (above.includes(operator)) throw new Refused(`The function ${operator} calls itself.`, hints.forged);
      const known = sizes.get(operator) ?? sizeOf(body, [...above, operator]);
      sizes.set(operator, known);
      size += count * known;
    }
    if (size > limits.nodes) throw new Refused(`Its functions unfold to more than ${limits.nodes} nodes.`, hints.size);
    return size;
  };
  sizeOf(graph, []);
};
