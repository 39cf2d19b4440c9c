import { createInterface } from 'node:readline/promises';
import { Exit, exitCodes } from './exit.ts';

/** Asks on a terminal before something is deleted; elsewhere `--yes` has to say it. */
export const confirm = async (question: string, yes: boolean | undefined): Promise<void> => {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Exit(exitCodes.error, 'There is no terminal to ask on.', 'Add --yes.');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`${question} [y/N] `);
  lines.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Exit(exitCodes.error, 'Nothing was done.');
};
