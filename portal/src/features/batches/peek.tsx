import { CloseButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { count } from '../../lib/format.ts';
import { stateOf } from '../../ui/batch-state.ts';
import { Progress, Status } from '../../ui/status.tsx';
import { Answer } from '../../ui/states.tsx';
import { Children } from './children.tsx';
import { batchQuery, failuresQuery, useLiveBatch } from './queries.ts';
import { Timeline } from './timeline.tsx';
import { nameOf } from './words.ts';
import css from './list.module.css';

const TopCauses = ({ id }: { id: string }) => {
  const failures = useQuery(failuresQuery(id));
  if (!failures.data || failures.data.data.length === 0) return null;
  return (
    <section>
      <h3 style={{ margin: '0 0 4px', fontSize: 13 }}>Why requests failed</h3>
      {failures.data.data.slice(0, 3).map(({ code, cause, count: n }) => (
        <div key={code + cause} style={{ display: 'flex', gap: 10 }}>
          <b className="num">{count(n)}</b>
          <span>
            <span className="mono">{code}</span> <span className="quiet">{cause}</span>
          </span>
        </div>
      ))}
    </section>
  );
};

/** A look at one batch beside the list, which stays where it is. */
const Peek = ({ id, close }: { id: string; close: () => void }) => {
  const batch = useQuery(batchQuery(id));
  useLiveBatch(id);
  return (
    <aside className={css.peek} aria-label="Preview">
      <div className={css.peekHead}>
        <h2 className="cut">
          {batch.data ? (
            <Link to={`/batches/${id}`} className="link">
              {nameOf(batch.data)}
            </Link>
          ) : (
            'Batch'
          )}
        </h2>
        <CloseButton aria-label="Close the preview" onClick={close} />
      </div>
      <div className={css.peekBody}>
        <Answer of={batch} what="The batch">
          {(data) => (
            <>
              <Status of={data.status} {...stateOf(data)} />
              <span style={{ display: 'flex' }}>
                <Progress
                  of={{ total: data.request_counts.total, ok: data.request_counts.completed, bad: data.request_counts.failed }}
                  label="Progress"
                />
              </span>
              <span className="num">
                {count(data.request_counts.completed)} of {count(data.request_counts.total)} succeeded, {count(data.request_counts.failed)}{' '}
                failed
              </span>
              {data.kind === 'parent' && (
                <div className={css.peekModels}>
                  <Children batch={data} />
                </div>
              )}
              <Timeline batch={data} />
              {data.request_counts.failed > 0 && <TopCauses id={id} />}
            </>
          )}
        </Answer>
      </div>
    </aside>
  );
};

export default Peek;
