import { clockTime, duration } from '../../lib/format.ts';
import { Moment, useNow } from '../../ui/moment.tsx';
import type { Tone } from '../../ui/status.tsx';
import type { Batch } from './queries.ts';
import { open } from './states.ts';
import { endedAt, slaOf } from './words.ts';
import css from './details.module.css';

interface Step {
  name: string;
  at: number | null;
  tone: Tone | '';
  /** Seconds to the step after it. */
  took?: number | null;
}

const lastStep = (batch: Batch): Step => {
  const at = endedAt(batch);
  if (batch.status === 'completed') return { name: 'Completed', at, tone: batch.request_counts.completed > 0 ? 'ok' : 'bad' };
  if (batch.status === 'failed') return { name: 'Refused', at, tone: 'bad' };
  if (batch.status === 'expired') return { name: 'Expired', at, tone: 'bad' };
  if (batch.status === 'cancelled') return { name: 'Cancelled', at, tone: 'warn' };
  return { name: batch.forecast ? 'Expected' : 'Completed', at: batch.forecast?.p50 ?? null, tone: '' };
};

/** Created, started, finalizing, ended, deadline: when, and how long each stage took. */
const stepsOf = (batch: Batch, now: number): Step[] => {
  const ended = endedAt(batch);
  const started = batch.in_progress_at;
  const steps: Step[] = [
    { name: 'Created', at: batch.created_at, tone: 'ok', took: (started ?? ended ?? now) - batch.created_at },
    ...(batch.status === 'failed'
      ? []
      : [
          {
            name: started === null ? 'Validating' : 'Started',
            at: started,
            tone: (started === null ? 'run' : 'ok') as Tone,
            took: started === null ? null : (batch.finalizing_at ?? ended ?? now) - started,
          },
        ]),
    ...(batch.cancelling_at === null
      ? []
      : [
          {
            name: 'Cancel asked',
            at: batch.cancelling_at,
            tone: 'warn' as const,
            took: ended === null ? null : ended - batch.cancelling_at,
          },
        ]),
    ...(batch.finalizing_at === null
      ? []
      : [{ name: 'Finalizing', at: batch.finalizing_at, tone: 'ok' as const, took: ended === null ? null : ended - batch.finalizing_at }]),
    lastStep(batch),
    { name: 'Deadline', at: batch.expires_at, tone: open(batch.status) ? '' : batch.sla === 'breached' ? 'bad' : '' },
  ];
  return steps;
};

const forecastText = (batch: Batch, now: number): { text: string; tone: Tone } | null => {
  const { forecast, expires_at: deadline } = batch;
  const sla = slaOf(batch, now);
  if (!open(batch.status) || sla === null) return null;
  if (forecast === null) return { text: `${sla.word}. How long it will take is not known yet.`, tone: sla.tone };
  const spare = deadline - forecast.p50;
  const when = `At this rate it finishes ${clockTime(forecast.p50)}, ${duration(Math.abs(spare))} ${spare >= 0 ? 'before' : 'after'} the deadline`;
  const nine = forecast.p90 > deadline && spare >= 0 ? `; one time in ten it would be late (${clockTime(forecast.p90)})` : '';
  return { text: `${when}${nine}.`, tone: spare < 0 ? 'bad' : forecast.p90 > deadline ? 'warn' : 'still' };
};

export const Timeline = ({ batch }: { batch: Batch }) => {
  const now = useNow(1);
  const steps = stepsOf(batch, now);
  const forecast = forecastText(batch, now);
  return (
    <>
      <ol className={css.steps}>
        {steps.map(({ name, at, tone, took }, i) => (
          <li
            key={name}
            className={css.step}
            data-tone={tone || undefined}
            data-done={(tone === 'ok' && steps[i + 1]?.tone !== '') || undefined}
          >
            <b>{name}</b>
            {at === null ? '–' : <Moment at={at} />}
            {took !== undefined && took !== null && took >= 0 && <em className="num">{duration(took)}</em>}
          </li>
        ))}
      </ol>
      {forecast && (
        <p className={css.forecast} data-tone={forecast.tone}>
          {forecast.text}
        </p>
      )}
      {batch.escalated_at !== null && (
        <p className={css.forecast} data-tone="warn">
          Its work moved to dedicated workers <Moment at={batch.escalated_at} />, so that the deadline is kept.
        </p>
      )}
    </>
  );
};
