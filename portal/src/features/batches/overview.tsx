import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconCopy, IconRotateClockwise } from '@tabler/icons-react';
import { count, percent, plural, shortId } from '../../lib/format.ts';
import { Moment } from '../../ui/moment.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Children } from './children.tsx';
import { useRetry } from './header.tsx';
import { ModelList } from './models.tsx';
import { aboutQuery, explainQuery, failuresQuery, type Batch, type Cause } from './queries.ts';
import { open } from './states.ts';
import { Timeline } from './timeline.tsx';
import { priorityOf } from './words.ts';
import css from './details.module.css';

/** Where requests failed of a cause: their lines; of several models, those of each. */
const Where = ({ batch, failure: { code, cause, count: n, batches, example } }: { batch: Batch; failure: Cause }) => {
  if (batch.kind !== 'parent')
    return (
      <Link to="." search={{ tab: 'requests', code, cause, line: String(example.line) }} className="link">
        {count(n)}
      </Link>
    );
  return (
    <>
      <div>{count(n)}</div>
      {batches.map(({ id, count: own }) => (
        <div key={id}>
          <Link to={`/batches/${id}`} search={{ tab: 'requests', code, cause }} className="link">
            {batch.children.find((child) => child.id === id)?.model ?? shortId(id)}
          </Link>
          {batches.length > 1 && <span className="quiet"> {count(own)}</span>}
        </div>
      ))}
    </>
  );
};

const Causes = ({ batch }: { batch: Batch }) => {
  const failures = useQuery(failuresQuery(batch.id));
  const retry = useRetry(batch);
  const mayRetry = !open(batch.status);
  const { failed, expired } = batch.request_counts;
  const all = batch.kind === 'parent' ? (failures.data?.failed ?? null) : failed + expired;
  return (
    <Card title="Why requests failed" flush actions={<span className="quiet num">{all !== null && `${count(all)} in all`}</span>}>
      <Answer of={failures} what="The causes">
        {({ data }) => (
          <div className={css.wide} tabIndex={0} role="region" aria-label="Causes of failure">
            <table className={css.table}>
              <thead>
                <tr>
                  <th>Cause</th>
                  <th>Requests</th>
                  <th>Last seen</th>
                  {mayRetry && (
                    <th>
                      <span className="hidden">Actions</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {data.slice(0, 12).map((failure) => {
                  const { code, cause, count: n, last_seen, example } = failure;
                  return (
                    <tr key={code + cause}>
                      <td>
                        <span className="mono">{code}</span>
                        <div className="quiet">{example.message}</div>
                      </td>
                      <td className="num">
                        <Where batch={batch} failure={failure} />
                      </td>
                      <td>
                        <Moment at={last_seen} />
                      </td>
                      {mayRetry && (
                        <td style={{ textAlign: 'right' }}>
                          <Button
                            variant="default"
                            leftSection={<IconRotateClockwise size={14} aria-hidden />}
                            loading={retry.isPending && retry.variables?.cause === cause && retry.variables.code === code}
                            onClick={() => retry.mutate({ code, cause })}
                          >
                            Retry these {count(n)}
                          </Button>
                        </td>
                      )}
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
    </Card>
  );
};

const Models = ({ batch }: { batch: Batch }) => {
  const about = useQuery({ ...aboutQuery(batch.id), refetchInterval: open(batch.status) ? 5_000 : false });
  const models = about.data?.models ?? [];
  const lanes = about.data?.lanes ?? [];
  const retry = useRetry(batch);
  if (models.length === 0) return null;
  const actionOf = (model: string, failed: number) =>
    failed > 0 && !open(batch.status) ? (
      <Button variant="default" aria-label={`Retry ${count(failed)} of ${model}`} onClick={() => retry.mutate({ model })}>
        Retry {count(failed)}
      </Button>
    ) : null;
  return (
    <Card title={models.length === 1 ? 'Model' : 'Models'} flush actions={<span className="quiet">{plural(lanes.length, 'worker')}</span>}>
      <ModelList
        rows={models.map(({ model, total, completed, failed, running }) => ({
          model,
          of: { total, ok: completed, bad: failed, running },
          ...(models.length > 1 && { action: actionOf(model, failed) }),
        }))}
      />
    </Card>
  );
};

const Standing = ({ batch }: { batch: Batch }) => {
  const explained = useQuery({ ...explainQuery(batch.id), refetchInterval: 10_000 });
  return (
    <Card title="Where it stands">
      <Answer of={explained} what="The explanation">
        {({ summary, reasons, next }) => (
          <>
            <p style={{ margin: 0 }}>{summary}</p>
            <ul style={{ margin: '6px 0 0', paddingLeft: 18 }} className="quiet">
              {[...reasons.map(({ text }) => text), ...next].slice(0, 8).map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </>
        )}
      </Answer>
    </Card>
  );
};

const Facts = ({ batch }: { batch: Batch }) => (
  <Card title="About">
    <dl className={css.list}>
      <dt>Models</dt>
      <dd className="mono">{batch.models.join(', ') || '–'}</dd>
      <dt>Endpoint</dt>
      <dd className="mono">{batch.endpoint}</dd>
      <dt>Priority</dt>
      <dd>{priorityOf(batch.priority)}</dd>
      <dt>Window</dt>
      <dd>{batch.completion_window}</dd>
      <dt>Owner</dt>
      <dd>{batch.created_by}</dd>
      <dt>Created</dt>
      <dd>
        <Moment at={batch.created_at} />
      </dd>
      {batch.usage && batch.usage.input_tokens + batch.usage.output_tokens > 0 && (
        <>
          <dt>Tokens</dt>
          <dd className="num">
            {count(batch.usage.input_tokens)} in, {count(batch.usage.output_tokens)} out
          </dd>
        </>
      )}
      {Object.entries(batch.metadata ?? {}).map(([key, value]) => [
        <dt key={key}>{key}</dt>,
        <dd key={`${key}=`}>
          <Link to="/batches" search={{ q: `meta.${key}:${value}` }} className="link">
            {value}
          </Link>
        </dd>,
      ])}
      {batch.continues && (
        <>
          <dt>Runs again</dt>
          <dd>
            <Link to={`/batches/${batch.continues}`} className="link mono">
              {shortId(batch.continues)}
            </Link>
          </dd>
        </>
      )}
      {batch.continued_by.length > 0 && (
        <>
          <dt>Run again as</dt>
          <dd>
            {batch.continued_by.map((id) => (
              <Link key={id} to={`/batches/${id}`} className="link mono" style={{ marginRight: 8 }}>
                {shortId(id)}
              </Link>
            ))}
          </dd>
        </>
      )}
    </dl>
  </Card>
);

const Reuse = ({ batch }: { batch: Batch }) => {
  const { batch: same, cache, semantic } = batch.dedup_counts;
  const all = same + cache + semantic;
  if (all === 0) return null;
  return (
    <Card title="Not run again">
      <p style={{ margin: 0, display: 'flex', gap: 8, alignItems: 'center' }}>
        <IconCopy size={16} aria-hidden />
        {plural(all, 'request')} ({percent(all, batch.request_counts.total)}) took the answer of another one: {count(same)} of this batch,{' '}
        {count(cache)} of earlier ones
        {semantic > 0 ? `, ${count(semantic)} of similar ones` : ''}.
      </p>
    </Card>
  );
};

const Pools = ({ batch }: { batch: Batch }) =>
  batch.pool_history.length === 0 ? null : (
    <Card title="Where its work was given">
      <dl className={css.list}>
        {batch.pool_history.map(({ at, pool, requests, reason }) => [
          <dt key={`${at}${reason}`}>
            <Moment at={at} />
          </dt>,
          <dd key={`${at}${reason}=`}>
            {pool} {requests !== undefined && `(${plural(requests, 'request')}) `}
            <span className="quiet">{reason}</span>
          </dd>,
        ])}
      </dl>
    </Card>
  );

export const Overview = ({ batch }: { batch: Batch }) => {
  const { failed, expired } = batch.request_counts;
  return (
    <div className={css.columns}>
      <div className={css.column}>
        <Card title="Timeline">
          <Timeline batch={batch} />
        </Card>
        {batch.kind === 'parent' ? (
          <Card title="Models" flush actions={<span className="quiet">a batch each</span>}>
            <Children batch={batch} />
          </Card>
        ) : (
          <Models batch={batch} />
        )}
        {failed + expired > 0 && <Causes batch={batch} />}
        {open(batch.status) && <Standing batch={batch} />}
        <Reuse batch={batch} />
      </div>
      <div className={css.column}>
        <Facts batch={batch} />
        <Pools batch={batch} />
      </div>
    </div>
  );
};
