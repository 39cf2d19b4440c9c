import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { Checked, Chemistry } from '../chemistry/chemistry.ts';
import { checkSequence } from '../chemistry/sequence.ts';
import type { CheckedText, Mapping } from './facts.ts';

type As = NonNullable<Mapping['checked']>['as'];

/** Rows handed over at once: the pool cuts them into messages of 30 ms. */
const rowsTogether = 1_000;
/** And characters, of a table of records. */
const charactersTogether = 4 << 20;
/** Calls under way: work for as many processes as the pool may have, which never wait for what is read and written here. */
const callsTogether = 2 * availableParallelism();

interface Text {
  line: number;
  text: string | null;
}

/** Whole texts of one column, in the order of rows, in groups. */
async function* groupsIn(path: string): AsyncGenerator<Text[]> {
  let group: Text[] = [];
  let size = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const text = JSON.parse(line) as Text;
    group.push(text);
    size += line.length;
    if (group.length < rowsTogether && size < charactersTogether) continue;
    yield group;
    [group, size] = [[], 0];
  }
  if (group.length > 0) yield group;
}

const ofMolecule = (line: number, checked: Checked): CheckedText =>
  checked.ok
    ? { line, smiles: checked.smiles, inchikey: checked.inchikey, flags: checked.flags, problem: null }
    : { line, smiles: null, inchikey: null, flags: null, problem: checked.message };

const ofSequence = ({ line, text }: Text): CheckedText => {
  const checked = checkSequence(text ?? '');
  return { line, smiles: null, inchikey: null, flags: null, problem: checked.ok ? null : checked.message };
};

/**
 * Holds the texts of one column against the rules of chemistry, all of them, and writes down what comes of each.
 *
 * @param features whether those of molecules are kept as well
 * @param onRows told of how many were checked so far
 */
export const checkTexts = async (
  chemistry: Chemistry,
  {
    from,
    to,
    as,
    features,
    onRows,
    signal,
  }: { from: string; to: string; as: As; features: boolean; onRows: (count: number) => void; signal: AbortSignal },
): Promise<void> => {
  const check = async (texts: Text[]): Promise<CheckedText[]> => {
    if (as === 'sequence') return texts.map(ofSequence);
    const asked = { signal, molblock: as === 'molblock' };
    const results = await chemistry.check(
      texts.map(({ text }) => text ?? ''),
      { ...asked, features },
    );
    // What breaks RDKit only when it is featurised is a molecule all the same: models say what they make of it.
    const broken = features ? results.flatMap((result, i) => (!result.ok && result.code === 'chemistry_failed' ? [i] : [])) : [];
    const again = await chemistry.check(
      broken.map((i) => texts[i]!.text ?? ''),
      asked,
    );
    for (const [at, i] of broken.entries()) results[i] = again[at]!;
    return results.map((result, i) => ofMolecule(texts[i]!.line, result));
  };
  const output = createWriteStream(to);
  const failed = once(output, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => {});
  const calls: Promise<CheckedText[]>[] = [];
  let done = 0;
  const next = async (): Promise<void> => {
    const rows = await calls.shift()!;
    onRows((done += rows.length));
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    if (!output.write(text)) await Promise.race([once(output, 'drain'), failed]);
  };
  for await (const texts of groupsIn(from)) {
    signal.throwIfAborted();
    const call = check(texts);
    // It is told of when its turn comes.
    call.catch(() => {});
    calls.push(call);
    if (calls.length === callsTogether) await next();
  }
  while (calls.length > 0) await next();
  output.end();
  await finished(output);
};
