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

/** How far each model of a batch is: a line each, or two where there is little room. */
export const ModelList = ({ rows }: { rows: readonly ModelRow[] }) => (
  <ul className={css.models} aria-label="Progress by model">
    {rows.map(({ model, batch, of, action }) => (
      <li key={batch?.id ?? model} className={css.model}>
        <span className={css.modelName}>
          {batch ? (
            <Link to={`/batches/${batch.id}`} className="mono link">
              {model}
            </Link>
          ) : (
            <span className="mono">{model}</span>
          )}
          {batch && <Status of={batch.status} />}
        </span>
        <span className={css.modelAct}>{action}</span>
        <span className={css.modelBar}>
          <Progress of={of} label={`Progress of ${model}`} />
        </span>
        <span className={`${css.modelCount} num quiet`}>
          {count(of.ok)} of {count(of.total)}
          {of.bad > 0 && `, ${count(of.bad)} failed`}
        </span>
      </li>
    ))}
  </ul>
);
