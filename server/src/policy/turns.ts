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
  const next = choose(
    desk,
    kind,
    desk.backlog.filter((entry) => eligible(desk, entry, kind)),
  );
  return next && turn(next.entry, next.why);
};

/** The best of those that are eligible. */
const choose = (desk: Desk, kind: Kind, waiting: readonly Backlog[]): { entry: Backlog; why: Turn['why'] } | null => {
  if (kind === 'dedicated' && desk.atRisk.size > 0) {
    let urgent: Backlog | null = null;
    let place = Infinity;
    for (const entry of waiting) {
      const at = desk.atRisk.get(entry.batch);
      if (at !== undefined && at < place) [urgent, place] = [entry, at];
    }
    if (urgent) return { entry: urgent, why: 'deadline' };
  }
  if (waiting.length === 0) return null;
  const lane = desk.lanes && nextLane(desk.lanes, waiting);
  let best: Backlog | null = null;
  for (const entry of waiting)
    if ((lane === null || entry.lane === lane.lane) && (best === null || before(desk, entry, best))) best = entry;
  const why = lane?.reserved === true ? 'reserved' : desk.order === 'fair' ? 'turn' : 'priority';
  return best && { entry: best, why };
};

const turn = ({ batch, tenant, lane, work }: Backlog, why: Turn['why']): Turn => ({ batch, tenant, lane, work, why });

const nextLane = ({ slots, reserved, running }: LaneUse, waiting: readonly Backlog[]): { lane: Lane; reserved: boolean } => {
  const present = lanes.filter((lane) => waiting.some((entry) => entry.lane === lane));
  const short = present.find((lane) => running[lane] < Math.floor(reserved[lane] * slots));
  return { lane: short ?? present[0]!, reserved: short !== undefined && short !== present[0] };
};

/** The order of the general claim. */
const before = (desk: Desk, a: Backlog, b: Backlog): boolean => {
  if (desk.order === 'strict_priority') {
    if (a.priority !== b.priority) return a.priority > b.priority;
    return a.createdAt === b.createdAt ? a.batch < b.batch : a.createdAt < b.createdAt;
  }
  if (a.tenant !== b.tenant) {
    const [own, other] = [desk.accounts.get(a.tenant)?.counter ?? 0, desk.accounts.get(b.tenant)?.counter ?? 0];
    return own === other ? a.tenant < b.tenant : own < other;
  }
  const [own, other] = [agedPriority(a, desk.now, desk.ageing), agedPriority(b, desk.now, desk.ageing)];
  if (own !== other) return own > other;
  if (a.deadline !== b.deadline) return (a.deadline ?? Infinity) < (b.deadline ?? Infinity);
  return a.createdAt === b.createdAt ? a.batch < b.batch : a.createdAt < b.createdAt;
};

/**
 * The next `count` turns, as if each were claimed at once: what production writes into a small table, from which claims
 * then take one turn each with a short statement. The desk is left as it was.
 */
export const planTurns = (desk: Desk, kind: Kind, count: number): Turn[] => {
  const copy: Desk = {
    ...desk,
    backlog: desk.backlog.filter((entry) => eligible(desk, entry, kind)).map((entry) => ({ ...entry })),
    accounts: new Map([...desk.accounts].map(([tenant, account]) => [tenant, { ...account }])),
    users: new Map([...desk.users].map(([user, use]) => [user, { ...use }])),
    all: desk.all ? { ...desk.all } : null,
    lanes: desk.lanes && { ...desk.lanes, running: { ...desk.lanes.running } },
  };
  // Within a tenant and lane the order stays the same for the whole plan, and what a limit stops stays stopped: the first of
  // each queue that is still eligible is its only candidate. Queues stand last first.
  const queues = new Map<string, Backlog[]>();
  for (const entry of copy.backlog) {
    const name = `${entry.lane} ${entry.tenant}`;
    const queue = queues.get(name);
    if (queue) queue.push(entry);
    else queues.set(name, [entry]);
  }
  const sorted = [...queues.values()].map((queue) => queue.sort((a, b) => (before(copy, a, b) ? 1 : -1)));
  const place = (entry: Backlog): number => copy.atRisk.get(entry.batch)!;
  if (kind === 'dedicated') sorted.push(copy.backlog.filter(({ batch }) => copy.atRisk.has(batch)).sort((a, b) => place(b) - place(a)));
  // What a turn changes is its tenant's business, unless a limit holds for several: asked of all of 200 tenants before each
  // of 256 turns, the question who is eligible took four fifths of a plan.
  const shared = copy.users.size > 0 || copy.all !== null;
  const heads = sorted.map((queue) => headOf(queue, copy, kind));
  const turns: Turn[] = [];
  while (turns.length < count) {
    const next = choose(
      copy,
      kind,
      heads.filter((head) => head !== null),
    );
    if (next === null) break;
    turns.push(turn(next.entry, next.why));
    takeTurn(copy, next.entry);
    for (const [i, head] of heads.entries())
      if (head !== null && (shared || head.tenant === next.entry.tenant)) heads[i] = headOf(sorted[i]!, copy, kind);
  }
  return turns;
};

/** The first of a queue that is eligible; those before it are dropped for the rest of the plan. */
const headOf = (queue: Backlog[], desk: Desk, kind: Kind): Backlog | null => {
  for (let head = queue.at(-1); head !== undefined; head = queue.at(-1)) {
    if (eligible(desk, head, kind)) return head;
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
