import { charge, type Account } from './accounts.ts';
import type { Kind } from './market.ts';

/** Who waits inside a pool, in order of precedence. */
export const lanes = ['interactive', 'jobs', 'bulk'] as const;
export type Lane = (typeof lanes)[number];

/** One batch with chunks that may be leased now: a row of the small table that turns are decided on. */
export interface Backlog {
  readonly batch: string;
  readonly tenant: string;
  readonly user: string | null;
  readonly lane: Lane;
  /** normal 1, medium 5, high 10. */
  readonly priority: number;
  readonly createdAt: number;
  readonly deadline: number | null;
  /** Chunks that may be leased now; those that wait for a retry do not count. */
  chunks: number;
  /** Requests in flight. */
  running: number;
  /** Requests it may have in flight (`max_concurrent`, strategy); null: any number. */
  width: number | null;
  /** Requests that leasing its next chunk puts in flight. */
  readonly takes: number;
  /** Estimated work of its next chunk. */
  readonly work: number;
}

/** Everything a turn depends on. */
export interface Desk {
  now: number;
  /** `fair`: tenants by counter, then aged priority, then deadline. `strict_priority`: highest priority, then oldest. */
  readonly order: 'fair' | 'strict_priority';
  /** Seconds of waiting that are worth one step of priority. */
  readonly ageing: number;
  readonly backlog: readonly Backlog[];
  /** By tenant; one that is missing has served nothing, weighs 1 and has no cap. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** By user; only those that have a cap. */
  readonly users: ReadonlyMap<string, { running: number; cap: number }>;
  /** All tenants together, where that is capped. */
  readonly all?: { running: number; cap: number } | null;
  /** Batches of the deadline class and their place in it: `Targets.atRisk`. */
  atRisk: ReadonlyMap<string, number>;
  /** Spot takes nothing of a batch that is due within so many seconds (guard + p99 of a request); 0 where no dedicated worker can take over. */
  readonly tail: number;
  /** The pool's lanes; null: one for all. */
  readonly lanes: LaneUse | null;
}

export interface LaneUse {
  /** Requests the pool's workers can have in flight. */
  readonly slots: number;
  /** Share of the slots that each lane is sure of while it has work; together at most 1. */
  readonly reserved: Readonly<Record<Lane, number>>;
  /** Requests in flight by lane. */
  readonly running: Record<Lane, number>;
}

export interface Turn {
  readonly batch: string;
  readonly tenant: string;
  readonly lane: Lane;
  /** What the tenant is charged. */
  readonly work: number;
  readonly why: 'deadline' | 'reserved' | 'turn' | 'priority';
}

/** One step of priority for every half an hour: a normal batch passes a fresh high one after four and a half hours. */
export const defaultAgeing = 1_800;

/** Requests that its next chunk puts in flight: a worker runs a chunk no wider than its batch may be. */
export const inFlight = ({ takes, width }: Pick<Backlog, 'takes' | 'width'>): number => Math.min(takes, width ?? Infinity);

/** Whether a worker of this kind may lease from the batch now: something is there, and no limit stands against it. */
export const eligible = (desk: Desk, entry: Backlog, kind: Kind): boolean => {
  const takes = inFlight(entry);
  if (entry.chunks <= 0 || takes === 0 || (entry.width !== null && entry.running + takes > entry.width)) return false;
  if (kind === 'spot' && entry.deadline !== null && desk.tail > 0 && entry.deadline - desk.now < desk.tail) return false;
  if (desk.all && desk.all.running + takes > desk.all.cap) return false;
  const account = desk.accounts.get(entry.tenant);
  if (account !== undefined && account.cap !== null && account.running + takes > account.cap) return false;
  if (entry.user === null) return true;
  const user = desk.users.get(entry.user);
  return user === undefined || user.running + takes <= user.cap;
};

/** Priority with its age: whole steps, so that batches of about the same age go by deadline. */
export const agedPriority = ({ priority, createdAt }: Pick<Backlog, 'priority' | 'createdAt'>, now: number, ageing: number): number =>
  priority + Math.floor(Math.max(0, now - createdAt) / ageing);

/** A batch with what is asked of it again and again while turns are decided. */
interface Candidate {
  readonly entry: Backlog;
  /** Its tenant's; a counter of 0 where there is none. */
  readonly account: Pick<Account, 'counter'>;
  readonly aged: number;
  /** In the deadline class; Infinity: it is not in it. */
  readonly place: number;
}

const unserved = { counter: 0 };

const candidate = (desk: Desk, entry: Backlog): Candidate => ({
  entry,
  account: desk.accounts.get(entry.tenant) ?? unserved,
  aged: agedPriority(entry, desk.now, desk.ageing),
  place: desk.atRisk.get(entry.batch) ?? Infinity,
});

/**
 * Who is next for a worker of this kind.
 *
 * Dedicated workers serve the deadline class first, in its order. Everything else: the lane that is below its reserved
 * share, else the first lane with work; in it the tenant with the smallest counter; of that tenant the batch with the
 * highest aged priority, then the nearest deadline, then the oldest.
 *
 * @returns null: nothing that this worker may take
 */
export const nextTurn = (desk: Desk, kind: Kind): Turn | null => {
  const waiting: Candidate[] = [];
  for (const entry of desk.backlog) if (eligible(desk, entry, kind)) waiting.push(candidate(desk, entry));
  const next = choose(desk, kind, waiting);
  return next && turn(next.entry, next.why);
};

/** The best of those that are eligible; null stands for nobody. */
const choose = (desk: Desk, kind: Kind, waiting: readonly (Candidate | null)[]): { entry: Backlog; why: Turn['why'] } | null => {
  if (kind === 'dedicated' && desk.atRisk.size > 0) {
    let urgent: Candidate | null = null;
    for (const each of waiting) if (each !== null && each.place < (urgent?.place ?? Infinity)) urgent = each;
    if (urgent) return { entry: urgent.entry, why: 'deadline' };
  }
  const lane = desk.lanes && nextLane(desk.lanes, waiting);
  let best: Candidate | null = null;
  for (const each of waiting)
    if (each !== null && (lane === null || each.entry.lane === lane.lane) && (best === null || before(desk, each, best))) best = each;
  const why = lane?.reserved === true ? 'reserved' : desk.order === 'fair' ? 'turn' : 'priority';
  return best && { entry: best.entry, why };
};

const turn = ({ batch, tenant, lane, work }: Backlog, why: Turn['why']): Turn => ({ batch, tenant, lane, work, why });

/** Null: nobody waits. */
const nextLane = (
  { slots, reserved, running }: LaneUse,
  waiting: readonly (Candidate | null)[],
): { lane: Lane; reserved: boolean } | null => {
  const present = lanes.filter((lane) => waiting.some((each) => each?.entry.lane === lane));
  const short = present.find((lane) => running[lane] < Math.floor(reserved[lane] * slots));
  return present.length === 0 ? null : { lane: short ?? present[0]!, reserved: short !== undefined && short !== present[0] };
};

/** The order of the general claim. */
const before = (desk: Desk, a: Candidate, b: Candidate): boolean => {
  const [own, other] = [a.entry, b.entry];
  if (desk.order === 'strict_priority') {
    if (own.priority !== other.priority) return own.priority > other.priority;
    return own.createdAt === other.createdAt ? own.batch < other.batch : own.createdAt < other.createdAt;
  }
  if (own.tenant !== other.tenant)
    return a.account.counter === b.account.counter ? own.tenant < other.tenant : a.account.counter < b.account.counter;
  if (a.aged !== b.aged) return a.aged > b.aged;
  if (own.deadline !== other.deadline) return (own.deadline ?? Infinity) < (other.deadline ?? Infinity);
  return own.createdAt === other.createdAt ? own.batch < other.batch : own.createdAt < other.createdAt;
};

/**
 * The next `count` turns, as if each were claimed at once: what production writes into a small table, from which claims
 * then take one turn each with a short statement. The desk is left as it was.
 */
export const planTurns = (desk: Desk, kind: Kind, count: number): Turn[] => {
  const copy: Desk = {
    ...desk,
    accounts: new Map([...desk.accounts].map(([tenant, account]) => [tenant, { ...account }])),
    users: new Map([...desk.users].map(([user, use]) => [user, { ...use }])),
    all: desk.all ? { ...desk.all } : null,
    lanes: desk.lanes && { ...desk.lanes, running: { ...desk.lanes.running } },
  };
  // Within a tenant and lane the order stays the same for the whole plan, and what a limit stops stays stopped: the first of
  // each queue that is still eligible is its only candidate. Queues stand last first.
  const queues = new Map<string, Candidate[]>();
  const urgent: Candidate[] = [];
  for (const entry of desk.backlog) {
    if (!eligible(desk, entry, kind)) continue;
    const own = candidate(copy, { ...entry });
    const name = `${entry.lane} ${entry.tenant}`;
    const queue = queues.get(name);
    if (queue) queue.push(own);
    else queues.set(name, [own]);
    if (kind === 'dedicated' && own.place < Infinity) urgent.push(own);
  }
  const sorted = [...queues.values()].map((queue) => queue.sort((a, b) => (before(copy, a, b) ? 1 : -1)));
  sorted.push(urgent.sort((a, b) => b.place - a.place));
  // What a turn changes is its tenant's business, unless a limit holds for several: asked of all of 200 tenants before each
  // of 256 turns, the question who is eligible took four fifths of a plan.
  const shared = copy.users.size > 0 || copy.all !== null;
  const heads = sorted.map((queue) => headOf(queue, copy, kind));
  const turns: Turn[] = [];
  while (turns.length < count) {
    const next = choose(copy, kind, heads);
    if (next === null) break;
    turns.push(turn(next.entry, next.why));
    takeTurn(copy, next.entry);
    for (let i = 0; i < heads.length; i++)
      if (heads[i] !== null && (shared || heads[i]!.entry.tenant === next.entry.tenant)) heads[i] = headOf(sorted[i]!, copy, kind);
  }
  return turns;
};

/** The first of a queue that is eligible; those before it are dropped for the rest of the plan. */
const headOf = (queue: Candidate[], desk: Desk, kind: Kind): Candidate | null => {
  for (let head = queue.at(-1); head !== undefined; head = queue.at(-1)) {
    if (eligible(desk, head.entry, kind)) return head;
    queue.pop();
  }
  return null;
};

/** Books a claim on the desk: one chunk fewer, its requests in flight, its estimate charged to the tenant. */
export const takeTurn = (desk: Desk, entry: Backlog): void => {
  const takes = inFlight(entry);
  entry.chunks -= 1;
  entry.running += takes;
  const account = desk.accounts.get(entry.tenant);
  if (account) {
    account.running += takes;
    account.counter = charge(account.counter, account.weight, entry.work);
  }
  const user = entry.user === null ? undefined : desk.users.get(entry.user);
  if (user) user.running += takes;
  if (desk.all) desk.all.running += takes;
  if (desk.lanes) desk.lanes.running[entry.lane] += takes;
};
