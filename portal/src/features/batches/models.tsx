import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { count } from '../../lib/format.ts';
import { Progress, Status } from '../../ui/status.tsx';
import css from './details.module.css';

export interface ModelRow {
  model: string;
  /** The batch that runs it by itself. */
  batch?: { id: string; status: string };
  of: { total: number; ok: number; bad: number; running?: number };
  action?: ReactNode;
}

/** How far each model of a batch is. */
export const ModelTable = ({ rows }: { rows: readonly ModelRow[] }) => (
  <div className={css.wide} tabIndex={0} role="region" aria-label="Progress by model">
    <table className={css.table}>
      <tbody>
        {rows.map(({ model, batch, of, action }) => (
          <tr key={batch?.id ?? model}>
            <td>
              {batch ? (
                <Link to={`/batches/${batch.id}`} className="mono link">
                  {model}
                </Link>
              ) : (
                <span className="mono">{model}</span>
              )}
            </td>
            {batch && (
              <td>
                <Status of={batch.status} />
              </td>
            )}
            <td style={{ width: '35%', minWidth: 100 }}>
              <span style={{ display: 'flex' }}>
                <Progress of={of} label={`Progress of ${model}`} />
              </span>
            </td>
            <td className="num quiet">
              {count(of.ok)} of {count(of.total)}
              {of.bad > 0 && `, ${count(of.bad)} failed`}
            </td>
            {action !== undefined && <td style={{ textAlign: 'right' }}>{action}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
