import type { ServerResponse } from 'node:http';
import type { Listener } from '../db/listen.ts';
import type { EventRow } from './events.ts';

/** What is sent when nothing happens, so that proxies keep the connection and readers see that it lives. */
const beatMs = 15_000;
/** How often a stream looks by itself: a notification may have been lost. */
const pollMs = 2_000;

export interface StreamSource<P> {
  /** Events after a place, in order. */
  read: (after: P) => Promise<EventRow[]>;
  /** The place after an event, and as it is written for a reader that resumes there. */
  place: (event: EventRow) => P;
  write: (place: P) => string;
  /** The number that a reader sees. */
  number: (event: EventRow) => number;
  /** Sent between events where they have changed, each by its id: live figures, without a number of their own. */
  progress?: () => Promise<readonly { id: string }[]>;
  /** The stream ends after this event. */
  last?: (event: EventRow) => boolean;
}

export const toEvent = (event: EventRow, number: number) => ({
  id: `evt_${event.id}`,
  object: 'event',
  number,
  created_at: Math.floor(event.created_at),
  type: event.type,
  data: { id: event.batch_id, ...event.data },
});

/**
 * Streams events to one reader (Server-Sent Events), from after `from` on, until the reader leaves, the server closes
 * or the source's last event was sent. Each has its place as `id`, so that a reader that comes back with
 * `Last-Event-ID` misses nothing.
 */
export const streamEvents = async <P>(
  raw: ServerResponse,
  listener: Listener,
  source: StreamSource<P>,
  from: P,
  closing: AbortSignal,
): Promise<void> => {
  let after = from;
  let wake: () => void = () => {};
  let woken = false;
  let open = true;
  let shown = new Map<string, string>();
  let beatAt = Date.now();
  const rouse = () => {
    woken = true;
    wake();
  };
  const leave = () => {
    open = false;
    rouse();
  };
  raw.on('close', leave);
  closing.addEventListener('abort', leave);
  listener.on('events', rouse);
  try {
    while (open) {
      woken = false;
      for (const event of await source.read(after)) {
        after = source.place(event);
        raw.write(`id: ${source.write(after)}\nevent: ${event.type}\ndata: ${JSON.stringify(toEvent(event, source.number(event)))}\n\n`);
        if (source.last?.(event)) return;
      }
      const progress = new Map((await source.progress?.())?.map((each) => [each.id, JSON.stringify(each)]));
      for (const [id, text] of progress) if (shown.get(id) !== text) raw.write(`event: batch.progress\ndata: ${text}\n\n`);
      if (source.progress !== undefined) shown = progress;
      if (Date.now() - beatAt > beatMs) {
        raw.write(': still here\n\n');
        beatAt = Date.now();
      }
      await new Promise<void>((resolve) => {
        // At most twice a second, however much happens.
        const timer = setTimeout(resolve, woken ? 100 : source.progress === undefined ? pollMs : 500);
        wake = () => {
          clearTimeout(timer);
          setTimeout(resolve, 50);
        };
        if (!open) wake();
      });
    }
  } finally {
    listener.off('events', rouse);
    closing.removeEventListener('abort', leave);
    raw.end();
  }
};
