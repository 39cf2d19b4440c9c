import type { Identity } from '../auth/identity.ts';
import { childrenOf } from '../batches/children.ts';
import { rowCounts } from '../batches/parents.ts';
import { terminal } from '../batches/state.ts';
import type { Db } from '../db/db.ts';
import { because, readStandings, stallOf, type Reason, type Standing } from './standing.ts';
import { at, held, plural, tried, within, type Told } from './words.ts';

interface Ask {
  /** Seconds without progress after which it is stalled. */
  patience: number;
  /** Whether a scheduler has been heard of lately. */
  alive: boolean;
  leaseSeconds: number;
}

/** In words: which of its batches a parent waits for, and how they stand. It runs nothing itself. */
export const toldOfParent = async (
  db: Db,
  { tenant }: Pick<Identity, 'tenant'>,
  s: Standing,
  { patience, alive, leaseSeconds }: Ask,
): Promise<Told & { stalled: boolean }> => {
  const [children, rows] = await Promise.all([childrenOf(db, [s.no]), rowCounts(db, s)]);
  const open = await Promise.all(
    children
      .filter(({ status }) => !terminal(status))
      .map(async ({ id, model }) => ({ model, standing: (await readStandings(db, { tenant, id }, leaseSeconds))[0] })),
  );
  // One that has ended since is not waited for.
  const waited = open.flatMap(({ model, standing }) =>
    standing === undefined || terminal(standing.status) ? [] : [{ model, ...standing }],
  );
  const reasons: Reason[] = [];
  const next: string[] = [];
  let stalled = false;
  if (waited.length === 0) {
    const stall = stallOf(s, patience, alive);
    stalled = stall !== null;
    if (stall !== null) reasons.push(stall);
    reasons.push(because('nothing_open', `All ${children.length} of its batches have ended.`), held(s, 'finalizes'), ...tried(s));
    next.push('A scheduler finalizes it: the rows of its batches are merged into its files.');
    if (stall !== null && stall.code !== 'no_scheduler') next.push(`\`sluice batch repair ${s.id}\` puts right what is wrong with it.`);
  } else {
    reasons.push(because('children', `It waits for ${waited.length} of its ${plural(children.length, 'batch', 'batches')}.`));
    for (const child of waited) {
      const stall = stallOf(child, patience, alive);
      reasons.push(because('child', `${child.id} (${child.model}) is ${child.status}: ${standsAt(child)}.`));
      if (stall === null) continue;
      stalled = true;
      reasons.push(because(stall.code, `${child.id}: ${stall.text}`));
      if (stall.code === 'no_worker') next.push(`Start a worker that runs ${child.unserved.join(', ')}.`);
      else if (stall.code !== 'no_scheduler') next.push(`\`sluice batch repair ${child.id}\` puts right what is wrong with that batch.`);
    }
    next.push(`When ${waited.length === 1 ? 'that one has' : 'those have'} ended, its rows are merged and its files written.`);
    next.push(`\`sluice batch explain ${waited[0]!.id}\` says more of ${waited.length === 1 ? 'it' : 'the first of them'}.`);
  }
  if (s.status === 'in_progress') reasons.push(deadlineOf(s, waited));
  if (!alive) next.push('Start a scheduler: none has been heard of lately.');
  const settled = rows.completed + rows.failed;
  const lines = `${settled} of ${plural(s.total, 'row')} settled in every model`;
  const summary =
    s.status === 'cancelling'
      ? `It is being cancelled with its batches (${lines}).`
      : `It runs by ${plural(children.length, 'model')}: ${lines}.`;
  return { summary, reasons, next, stalled };
};

const standsAt = ({ settled, total, running, queued, waiting }: Standing): string =>
  `${settled} of ${plural(total, 'request')} settled, ${running} running, ${queued} queued, ${waiting} waiting for a retry`;

/** It has the deadline of its batches; what puts one of them at risk puts all of it. */
const deadlineOf = (s: Standing, waited: readonly Standing[]): Reason => {
  if (s.deadline < s.now) return because('deadline_passed', `Its deadline passed at ${at(s.deadline)}.`);
  const risk = s.at_risk || waited.some((child) => child.at_risk);
  return because(
    risk ? 'at_risk' : 'deadline',
    `Its deadline is ${at(s.deadline)}, in ${within(s.deadline - s.now)}${risk ? '; it is at risk' : ''}.`,
  );
};
