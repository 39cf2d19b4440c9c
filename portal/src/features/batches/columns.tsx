import { Link } from '@tanstack/react-router';
import { count, duration, none, percent, shortId } from '../../lib/format.ts';
import { stateOf } from '../../ui/batch-state.ts';
import type { Column } from '../../ui/data-table.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import type { ColumnId, Row, SortBy } from './list-query.ts';
import { RowMenu } from './row-menu.tsx';
import { priorityOf } from './words.ts';
import css from './list.module.css';

const running = (row: Row): boolean => row.ended_at === null;

const Sla = ({ row }: { row: Row }) => {
  const now = Date.now() / 1_000;
  const left = row.deadline - now;
  if (!running(row)) return row.sla === null ? <span className="quiet">{none}</span> : <Status of={row.sla} />;
  const late = row.sla === 'at_risk' || left < 0.15 * (row.deadline - row.created_at) || (row.eta !== null && row.eta > row.deadline);
  return (
    <Status
      of={left < 0 ? 'breached' : late ? 'at_risk' : 'on_track'}
      word={left < 0 ? 'Overdue' : `${duration(left)} left`}
      tone={left < 0 ? 'bad' : late ? 'warn' : 'still'}
    />
  );
};

const Pace = ({ row }: { row: Row }) => {
  const now = Date.now() / 1_000;
  if (!running(row)) return row.started_at === null ? none : `took ${duration((row.ended_at ?? now) - row.started_at)}`;
  return row.eta === null ? none : `done in ${duration(Math.max(0, Math.round(row.eta - now)))}`;
};

export const columns: readonly (Column<Row, SortBy> & { id: ColumnId })[] = [
  {
    id: 'name',
    header: 'Name',
    width: 'minmax(144px, 2.2fr)',
    sort: 'name',
    cell: (row) => (
      <span className={css.name}>
        <Link to={`/batches/${row.id}`} className="cut" title={row.name ?? row.id} tabIndex={-1}>
          <bdi>{row.name ?? shortId(row.id)}</bdi>
        </Link>
        <small>{shortId(row.id)}</small>
      </span>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    width: '204px',
    cell: (row) => (
      <Status
        of={row.status}
        {...stateOf({
          status: row.status,
          request_counts: { total: row.total, completed: row.completed, failed: row.failed },
        })}
      />
    ),
  },
  {
    id: 'progress',
    header: 'Requests',
    width: 'minmax(132px, 1.4fr)',
    sort: 'total',
    cell: (row) =>
      row.total === 0 ? (
        <span className="quiet">{none}</span>
      ) : (
        <span className={`${css.meter} num`}>
          <Progress
            of={{ total: row.total, ok: row.completed, bad: row.failed, running: row.running }}
            label={`Progress of ${row.name ?? row.id}`}
          />
          <span className="quiet">
            {running(row) ? `${percent(row.completed + row.failed, row.total)} of ${count(row.total)}` : count(row.total)}
          </span>
        </span>
      ),
  },
  {
    id: 'failed',
    header: 'Failed',
    width: '64px',
    sort: 'failed',
    right: true,
    cell: (row) => (row.failed > 0 ? <span style={{ color: 'var(--bad)' }}>{count(row.failed)}</span> : <span className="quiet">0</span>),
  },
  {
    id: 'model',
    header: 'Model',
    width: 'minmax(104px, 1fr)',
    cell: (row) => (
      <span className="mono" title={row.model ?? undefined}>
        {row.model ?? none}
        {row.models > 1 && ` +${row.models - 1}`}
      </span>
    ),
  },
  { id: 'sla', header: 'SLA', width: '138px', sort: 'deadline', cell: (row) => <Sla row={row} /> },
  { id: 'pace', header: 'Time', width: '122px', sort: 'duration', cell: (row) => <span className="num quiet">{Pace({ row })}</span> },
  { id: 'priority', header: 'Priority', width: '70px', cell: (row) => <span className="quiet">{priorityOf(row.priority)}</span> },
  { id: 'pool', header: 'Pool', width: '92px', cell: (row) => <span className="quiet">{row.pool ?? none}</span> },
  { id: 'owner', header: 'Owner', width: '90px', cell: (row) => <span className="quiet">{row.owner}</span> },
  { id: 'created', header: 'Created', width: '84px', sort: 'created_at', cell: (row) => <Moment at={row.created_at} /> },
];

/** In each row, whichever columns are shown. */
export const menuColumn: Column<Row, SortBy> = {
  id: 'menu',
  header: <span className="hidden">Actions</span>,
  width: '46px',
  cell: ({ id, name }) => <RowMenu id={id} name={name ?? shortId(id)} />,
};
