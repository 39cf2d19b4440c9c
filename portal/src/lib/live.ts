/**
 * One stream of events for all tabs of a browser: the tab that holds the lock reads it and passes on what comes. Without
 * that the seventh tab on HTTP/1.1 would hang, for a browser opens six connections to an origin.
 *
 * A tab that is hidden takes no part: nobody looks at it, and browsers put such tabs to sleep, with the stream of all others.
 * Where events may have been missed (the stream broke, the tab was hidden, another tab read until now, somebody had paused)
 * the pages are told that they are behind, and ask anew.
 */
export interface LiveEvent {
  type: string;
  /** What it is about: a batch's id where it is a batch's. */
  id: string;
  data: Record<string, unknown>;
}

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'paused' | 'off';

type Message = { kind: 'event'; event: LiveEvent } | { kind: 'state'; state: LiveState } | { kind: 'hello' } | { kind: 'behind' };

const types = [
  'batch.created',
  'batch.in_progress',
  'batch.updated',
  'batch.escalated',
  'batch.milestone',
  'batch.progress',
  'batch.finalizing',
  'batch.completed',
  'batch.failed',
  'batch.cancelling',
  'batch.cancelled',
  'batch.expired',
  'overview',
];

const againMs = 3_000;

export class Live {
  state: LiveState = 'connecting';
  /** When something was last heard, in milliseconds since the epoch. */
  heardAt = Date.now();
  private paused = false;
  /** Events may have been missed since the pages asked; they are told once the stream is there again. */
  private behind = false;
  private readonly events = new Set<(event: LiveEvent) => void>();
  private readonly states = new Set<() => void>();
  private readonly gaps = new Set<() => void>();
  private after: string | null = null;
  private channel: BroadcastChannel | null = null;
  private source: EventSource | null = null;
  private leave: (() => void) | null = null;

  /**
   * Takes part until `stop`.
   * @param after the place in the events before the pages asked for anything: a first stream begins behind it
   */
  start(after?: string): void {
    if (this.channel !== null) return;
    this.after = after ?? null;
    this.channel = new BroadcastChannel('sluice-live');
    this.channel.addEventListener('message', ({ data }: MessageEvent<Message>) => this.hear(data));
    document.addEventListener('visibilitychange', this.turn);
    this.state = 'connecting';
    if (!document.hidden) this.join();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.turn);
    this.leave?.();
    this.channel?.close();
    this.channel = null;
    this.become('off', false);
  }

  private readonly turn = (): void => {
    this.leave?.();
    this.leave = null;
    if (document.hidden) return;
    this.behind = true;
    this.become('connecting', false);
    this.join();
  };

  /** Reads the stream once no other tab does; until then its state is the other's. */
  private join(): void {
    this.say({ kind: 'hello' });
    const abort = new AbortController();
    const left = new Promise<void>((resolve) => {
      this.leave = () => {
        abort.abort();
        resolve();
      };
    });
    navigator.locks
      .request('sluice-live', { signal: abort.signal }, async () => {
        this.lead();
        await left;
        this.source?.close();
        this.source = null;
      })
      .catch(() => {});
  }

  /** Stops what is shown from changing; the stream goes on, and the pages ask anew when it is resumed. */
  pause(paused: boolean): void {
    if (this.paused && !paused) this.behind = true;
    this.paused = paused;
    this.catchUp();
    for (const listener of this.states) listener();
  }

  get shown(): LiveState {
    return this.paused ? 'paused' : this.state;
  }

  on(listener: (event: LiveEvent) => void): () => void {
    this.events.add(listener);
    return () => this.events.delete(listener);
  }

  onState(listener: () => void): () => void {
    this.states.add(listener);
    return () => this.states.delete(listener);
  }

  /** Hears that events may have been missed: what is shown is to be asked for anew. */
  onBehind(listener: () => void): () => void {
    this.gaps.add(listener);
    return () => this.gaps.delete(listener);
  }

  private lead(): void {
    // A first stream has what happened since the first of the pages' questions. Later pages are behind, and ask anew.
    const first = this.state === 'connecting' && !this.behind && this.after !== null;
    const source = new EventSource(`/v1/events?after=${first ? this.after : 'latest'}&progress=true`);
    this.source = source;
    source.addEventListener('open', () => {
      // Before any stream but the first there may have been events that nobody read.
      const again = this.state !== 'connecting';
      this.behind ||= again || !first;
      this.become('live');
      if (again) this.say({ kind: 'behind' });
    });
    source.addEventListener('error', () => {
      this.become('reconnecting');
      // Browsers try again where the connection broke, but not where the answer was no stream: a proxy's, say.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.source === source && this.lead(), againMs);
    });
    for (const type of types)
      source.addEventListener(type, ({ data }: MessageEvent<string>) => {
        const { data: inner, ...rest } = JSON.parse(data) as { data?: Record<string, unknown> & { id: string } } & Record<string, unknown>;
        const about = inner ?? rest;
        const event: LiveEvent = { type, id: typeof about['id'] === 'string' ? about['id'] : '', data: about };
        this.say({ kind: 'event', event });
        this.tell(event);
      });
  }

  private hear(message: Message): void {
    if (message.kind === 'event') this.tell(message.event);
    else if (message.kind === 'state') this.become(message.state, false);
    else if (message.kind === 'behind') {
      this.behind = true;
      this.catchUp();
    } else if (this.source !== null) this.say({ kind: 'state', state: this.state });
  }

  private say(message: Message): void {
    this.channel?.postMessage(message);
  }

  private tell(event: LiveEvent): void {
    this.heardAt = Date.now();
    if (this.paused || document.hidden) return;
    if (this.state !== 'live') this.become('live', false);
    for (const listener of this.events) listener(event);
  }

  private become(state: LiveState, say = true): void {
    this.state = state;
    if (state === 'live') this.heardAt = Date.now();
    if (say) this.say({ kind: 'state', state });
    for (const listener of this.states) listener();
    this.catchUp();
  }

  private catchUp(): void {
    if (!this.behind || this.state !== 'live' || this.paused || document.hidden) return;
    this.behind = false;
    for (const listener of this.gaps) listener();
  }
}

export const live = new Live();
