import { duration } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import type { Overview } from './overview.tsx';
import css from './dashboard.module.css';

const words = {
  ok: { of: 'completed', word: 'Reachable' },
  warning: { of: 'at_risk', word: 'Limited' },
  error: { of: 'failed', word: 'Away' },
} as const;

/** Whether what the server stands on can be reached. */
export const Health = ({ of: { health } }: { of: Overview }) => (
  <Card title="Reachable" flush>
    <ul className={css.list}>
      {health.map(({ name, status, ms, message }) => (
        <li key={name} className={css.row}>
          <span className={css.part}>{name}</span>
          <span className="quiet cut" title={message ?? undefined}>
            {message ?? (ms === null ? '' : duration(ms / 1_000))}
          </span>
          <Status {...words[status]} />
        </li>
      ))}
    </ul>
  </Card>
);
