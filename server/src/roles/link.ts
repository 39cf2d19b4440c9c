import type { Config } from '../config.ts';
import type { Figures, Source } from '../telemetry/metrics.ts';

/**
 * What the supervisor and its children say to each other, over the channel that `fork` opens. The configuration comes
 * this way, keys and passwords included, because an environment can be read in /proc and is inherited further down.
 */
export type ToChild =
  | { type: 'begin'; name: string; config: Config }
  | { type: 'stop' }
  | { type: 'measure'; id: number }
  | { type: 'others'; id: number; sources: Source[] };
export type FromChild =
  | { type: 'ready'; url: string | null }
  | { type: 'measured'; id: number; figures: Figures }
  | { type: 'others?'; id: number };

/** A child's end of it. */
export interface Link {
  name: string;
  config: Config;
  ready(url: string | null): void;
  /** Aborts when the supervisor says stop, or is gone. */
  stop: AbortSignal;
  /** Answers when the supervisor asks for figures. */
  onMeasure(measure: () => Promise<Figures>): void;
  /** The figures of all the other processes. */
  others(): Promise<Source[]>;
}

/** Waits for the supervisor's first word. */
export const openLink = (): Promise<Link> =>
  new Promise((resolve) => {
    const stop = new AbortController();
    const asked = new Map<number, (sources: Source[]) => void>();
    let measure: (() => Promise<Figures>) | null = null;
    let last = 0;
    const send = (message: FromChild): void => {
      // The supervisor may go at any moment; `disconnect` tells.
      if (process.connected) process.send!(message, undefined, undefined, () => {});
    };
    process.once('disconnect', () => {
      stop.abort();
      for (const answer of asked.values()) answer([]);
    });
    process.on('message', (message: ToChild) => {
      if (message.type === 'stop') stop.abort();
      else if (message.type === 'measure')
        void measure?.().then(
          (figures) => send({ type: 'measured', id: message.id, figures }),
          () => {},
        );
      else if (message.type === 'others') {
        asked.get(message.id)?.(message.sources);
        asked.delete(message.id);
      } else
        resolve({
          name: message.name,
          config: message.config,
          ready: (url) => send({ type: 'ready', url }),
          stop: stop.signal,
          onMeasure: (ask) => (measure = ask),
          others: () =>
            new Promise((answer) => {
              if (!process.connected) return answer([]);
              asked.set(++last, answer);
              send({ type: 'others?', id: last });
            }),
        });
    });
  });
