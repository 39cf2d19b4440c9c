import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX, IconLoader2 } from '@tabler/icons-react';
import { duration } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { moving, type Details } from './queries.ts';
import css from './models.module.css';

const looks = {
  passed: { icon: IconCircleCheck, word: 'passed', css: css.ok },
  warning: { icon: IconAlertTriangle, word: 'passed, with a warning', css: css.warn },
  failed: { icon: IconCircleX, word: 'failed', css: css.bad },
  skipped: { icon: IconCircleDashed, word: 'skipped', css: css.still },
} as const;

/** What vetting looked at, step by step, with what it found and what to do about it. */
export const Vetting = ({ model }: { model: Details }) => {
  const { report, status, reason } = model;
  if (report === null && !moving(model)) return null;
  return (
    <Card title="Vetting" actions={<Status of={status} />}>
      {status === 'failed' && reason !== null && <p className={css.reason}>{reason}</p>}
      <ol className={css.steps}>
        {(report?.steps ?? []).map(({ name, status: state, ms, message, hint, log }) => {
          const { icon: Icon, word, css: tone } = looks[state];
          return (
            <li key={name}>
              <Icon size={15} aria-hidden className={tone} />
              <div>
                <div className={css.step}>
                  <b>{name}</b>
                  <span className="hidden">{word}</span>
                  <span className="quiet num">{duration(ms / 1_000)}</span>
                </div>
                {message && <div>{message}</div>}
                {hint && <div className="quiet">{hint}</div>}
                {log !== undefined && log.length > 0 && (
                  <details>
                    <summary>What it says ({log.length})</summary>
                    <pre className={css.log} tabIndex={0} aria-label={`Log of ${name}`}>
                      {log.join('\n')}
                    </pre>
                  </details>
                )}
              </div>
            </li>
          );
        })}
        {moving(model) && (
          <li>
            <IconLoader2 size={15} aria-hidden className={css.turn} />
            <div role="status">{status === 'uploaded' ? 'Waits for a worker that vets.' : 'A worker is looking at it.'}</div>
          </li>
        )}
      </ol>
    </Card>
  );
};
