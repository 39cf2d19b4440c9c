import type { ErrorCode, Explanation } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { getBatch } from '../batches/read.ts';
import type { BatchRow } from '../batches/rows.ts';
import { terminal } from '../batches/state.ts';
import type { Db } from '../db/db.ts';
import { toldOfParent } from './explain-parent.ts';
import { because, planAge, planLimit, readHolders, readStandings, stallOf, type Holder, type Reason, type Standing } from './standing.ts';
import { at, held, plural, tried, within, type Told } from './words.ts';

/** Seconds without progress after which an explanation calls a batch stalled. */
const patience = 600;

/** In words: why a batch is where it is, and what will move it. */
export const explain = async (db: Db, identity: Identity, id: string, leaseSeconds: number): Promise<Explanation> => {
  const row = await getBatch(db, identity, id);
  const [standing] = await readStandings(db, { tenant: identity.tenant, id }, leaseSeconds);
  // It was deleted between the two reads; the first one's 404 would have said so.
  if (standing === undefined)
    return { object: 'batch.explanation', id, status: row.status, summary: 'It was just deleted.', stalled: false, reasons: [], next: [] };
  const age = await planAge(db);
  const alive = age !== null && age < planLimit;
  if (row.kind === 'parent' && (standing.status === 'in_progress' || standing.status === 'cancelling')) {
    const { stalled, ...told } = await toldOfParent(db, identity, standing, { patience, alive, leaseSeconds });
    return { object: 'batch.explanation', id, status: standing.status, stalled, ...told };
  }
  const stall = terminal(standing.status) ? null : stallOf(standing, patience, alive);
  const told = terminal(standing.status)
    ? ended(row, standing)
    : standing.status === 'validating'
      ? validating(standing, alive)
      : standing.status === 'finalizing'
        ? finalizing(standing)
        : running(standing, await readHolders(db, standing.no, leaseSeconds));
  const reasons = stall !== null && !told.reasons.some(({ code }) => code === stall.code) ? [stall, ...told.reasons] : told.reasons;
  const next =
    stall === null || stall.code === 'no_worker' || stall.code === 'no_scheduler'
      ? told.next
      : [...told.next, `\`sluice batch repair ${id}\` puts right what is wrong with it.`];
  return {
    object: 'batch.explanation',
    id,
    status: standing.status,
    summary: told.summary,
    stalled: stall !== null,
    reasons,
    next: !alive && !terminal(standing.status) ? [...next, 'Start a scheduler: none has been heard of lately.'] : next,
  };
};

const validating = (s: Standing, alive: boolean): Told => ({
  summary: `Its input is ${s.held_until !== null && s.held_until >= s.now ? 'being' : 'still to be'} validated.`,
  reasons: [held(s, 'validates'), ...tried(s)],
  next: alive
    ? ['A scheduler takes in waiting batches by priority, then in order; once every line is checked its requests are queued.']
    : [],
});

const finalizing = (s: Standing): Told => ({
  summary: `All ${plural(s.total, 'request')} have settled; its files are being written.`,
  reasons: [held(s, 'finalizes'), ...tried(s)],
  next: ['Once the files are written the batch is completed. Where a scheduler dies meanwhile, another starts again when the lease ends.'],
});

/** `in_progress` and `cancelling`. */
const running = (s: Standing, holders: readonly Holder[]): Told => {
  const open = s.queued + s.running + s.waiting;
  const stopping = s.status === 'cancelling' ? 'cancelled' : s.expiring ? 'expired' : null;
  const reasons: Reason[] = [];
  const next: string[] = [];
  const say = (code: Reason['code'], text: string) => void reasons.push({ code, text });
  if (s.queued > 0) say('queued', `${plural(s.queued, 'request')} queued.`);
  for (const { pool, requests } of s.given)
    say(
      'larger_pool',
      `${requests} of them ${requests === 1 ? 'waits' : 'wait'} for the pool ${pool}, having run out of memory in a smaller one.`,
    );
  if (s.running > 0) say('leased', `${plural(s.running, 'request')} leased by ${plural(holders.length, 'worker')}.`);
  for (const { worker, requests, until, lost } of holders)
    say(
      lost ? 'lost_worker' : 'holder',
      `${worker} holds ${plural(requests, 'request')} until ${at(until)}${lost ? ', and is gone' : ''}.`,
    );
  if (s.waiting > 0)
    say(
      'waiting',
      `${plural(s.waiting, 'request')} ${s.waiting === 1 ? 'waits' : 'wait'} for a retry; the first is due at ${at(s.next_due!)}.`,
    );
  if (open === 0) reasons.push(because('nothing_open', 'Nothing of it is open any more.'), held(s, 'finalizes'), ...tried(s));
  if (stopping === null) {
    if (s.unserved.length > 0) {
      say('no_worker', `No worker runs ${s.unserved.join(', ')}.`);
      next.push(`Start a worker that runs ${s.unserved.join(', ')}.`);
    }
    if (s.capped && s.queued > 0)
      say('quota', 'Quotas limit how many requests of its user, its tenant or all may be in flight; `sluice usage` shows how many are.');
    if (s.width !== null && s.queued > 0 && s.running >= s.width)
      say('width', `It may have ${plural(s.width, 'request')} in flight, and has ${s.running}.`);
    say(
      s.deadline < s.now ? 'deadline_passed' : s.at_risk ? 'at_risk' : 'deadline',
      s.deadline < s.now
        ? `Its deadline passed at ${at(s.deadline)}.`
        : `Its deadline is ${at(s.deadline)}, in ${within(s.deadline - s.now)}${s.at_risk ? '; it is at risk' : ''}${s.admitted ? '' : '; it was not promised'}.`,
    );
    if (s.escalated) say('escalated', `Its work moved to dedicated workers${s.moved ? ` at ${at(s.moved.at)}: ${s.moved.reason}` : ''}.`);
    if (s.forecast !== null) say('forecast', `It should end by ${at(s.forecast)} (9 in 10).`);
  }
  if (s.lost > 0) next.push('Requests of workers that are gone go back to the queue when their leases end.');
  if (stopping !== null)
    next.push(
      s.running > s.lost
        ? `What runs may finish${s.cancel_mode === 'abort' ? ' no more: it is ended at the next heartbeat' : ''}; then the files are written and the batch is ${stopping}.`
        : `A scheduler writes the files of what is done; then the batch is ${stopping}.`,
    );
  else if (open === 0) next.push('A scheduler finalizes it: output and error files are written.');
  else {
    if (s.running > s.lost) next.push('Workers settle what they hold, and take more.');
    if (s.queued > 0 && s.unserved.length === 0) next.push('The next free worker whose turn it is takes queued requests.');
    if (s.waiting > 0) next.push(`Retries go back to the queue when they are due, the first at ${at(s.next_due!)}.`);
    if (s.deadline < s.now) next.push('It expires: nothing more starts, and what is done is kept.');
  }
  const settled = `${s.settled} of ${plural(s.total, 'request')} settled`;
  const summary =
    s.status === 'cancelling'
      ? open === 0
        ? `It is being cancelled; nothing runs any more (${settled}).`
        : `It is being cancelled; ${plural(s.running, 'request')} still ${s.running === 1 ? 'runs' : 'run'} (${settled}).`
      : s.expiring
        ? `Its deadline passed at ${at(s.deadline)}; ${plural(s.running, 'request')} still ${s.running === 1 ? 'runs' : 'run'} (${settled}).`
        : `It runs: ${settled}, ${s.running} running, ${s.queued} queued, ${s.waiting} waiting for a retry.`;
  return { summary, reasons, next };
};

const ended = (row: BatchRow, s: Standing): Told => {
  const when = row.completed_at ?? row.failed_at ?? row.expired_at ?? row.cancelled_at ?? s.now;
  const counts = `${row.completed} completed, ${row.failed} failed, ${row.cancelled} cancelled, ${row.expired} expired of ${plural(row.total, 'request')}`;
  const words = {
    completed: `It completed at ${at(when)}: ${counts}.`,
    failed: `It failed at ${at(when)}: its input was refused.`,
    expired: `It expired at ${at(when)}, its deadline being ${at(row.deadline)}: ${counts}.`,
    cancelled: `It was cancelled at ${at(when)}: ${counts}.`,
  };
  const why: Reason[] =
    row.status === 'failed'
      ? (row.errors ?? [])
          .slice(0, 5)
          .map(({ code, message, line }) => because(code as ErrorCode, `${line === null ? '' : `Line ${line}: `}${message}`))
      : [
          ...(row.failed > 0 ? [because('failed', `${plural(row.failed, 'request')} failed; the error file says why.`)] : []),
          ...(row.status === 'completed' && when > row.deadline ? [because('late', `Its deadline was ${at(row.deadline)}.`)] : []),
          ...(row.cancel_mode !== null ? [because('cancelled', `It was cancelled, mode ${row.cancel_mode}.`)] : []),
        ];
  const left = s.queued + s.running + s.waiting;
  const next =
    row.status === 'failed'
      ? ['Mend the input and create it again.']
      : row.failed + row.expired + row.cancelled > 0
        ? [`\`sluice batch retry ${row.id}\` runs what did not succeed again.`]
        : [];
  return {
    summary: words[row.status as keyof typeof words],
    reasons: left > 0 ? [...why, because('leftovers', `${plural(left, 'request')} of it are still queued, though it has ended.`)] : why,
    next: left > 0 ? [...next, `\`sluice batch repair ${row.id}\` removes them.`] : next,
  };
};
