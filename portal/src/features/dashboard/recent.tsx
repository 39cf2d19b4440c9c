import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, bodyOf } from '../../lib/api.ts';
import { count, none, percent } from '../../lib/format.ts';
import { stateOf } from '../../ui/batch-state.ts';
import { Moment } from '../../ui/moment.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import { useAtMost, useLive } from '../../ui/use-live.ts';
import css from './dashboard.module.css';

const key = ['overview', 'recent'];

/** The newest batches. */
export const Recent = () => {
  const queries = useQueryClient();
  const batches = useQuery({
    queryKey: key,
    queryFn: () => bodyOf(api.GET('/v1/batches', { params: { query: { limit: 10 } } })),
    placeholderData: keepPreviousData,
  });
  useLive(useAtMost(500, () => void queries.invalidateQueries({ queryKey: key })));
  return (
    <Card
      title="Recent batches"
      flush
      actions={
        <Link to="/batches" className="link">
          All batches
        </Link>
      }
    >
      <Answer of={batches} what="The recent batches">
        {({ data }) =>
          data.length === 0 ? (
            <p className={css.fine}>None yet.</p>
          ) : (
            <ul className={css.list}>
              {data.map(({ id, name, status, request_counts: counts, created_at: at }) => (
                <li key={id}>
                  <Link to={`/batches/${id}`} className={css.batch}>
                    <span className="cut">{name ?? id}</span>
                    <Status of={status} {...stateOf({ status, request_counts: counts })} />
                    <Progress label={`Progress of ${name ?? id}`} of={{ total: counts.total, ok: counts.completed, bad: counts.failed }} />
                    <span className="num quiet">
                      {counts.total === 0 ? none : `${percent(counts.completed + counts.failed, counts.total)} of ${count(counts.total)}`}
                    </span>
                    <span className="quiet">
                      <Moment at={at} />
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Card>
  );
};
