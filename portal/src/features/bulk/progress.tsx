import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { notifications } from '@mantine/notifications';
import { IconPlayerStop } from '@tabler/icons-react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { count, duration, percent, plural, shortId } from '../../lib/format.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer, Broken, Waiting } from '../../ui/states.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import { Json } from '../../ui/json.tsx';
import css from './progress.module.css';

type Operation = Api<'BulkOperation'>;

const going = ({ status }: Operation): boolean => ['queued', 'running', 'stopping'].includes(status);

const words: Record<Operation['action'], string> = {
  cancel: 'Cancel',
  retry: 'Retry',
  redrive: 'Redrive',
  priority: 'Set the priority of',
  deadline: 'Set the deadline of',
};

const nameOf = ({ action, on, counts }: Operation): string => `${words[action]} ${count(counts.eligible)} ${on}`;

/** What was left alone or could not be done, each with its reason. */
const Items = ({ id, left }: { id: string; left: number }) => {
  const items = useQuery({
    queryKey: ['bulk', id, 'items', left],
    queryFn: () => bodyOf(api.GET('/v1/bulk/{id}/items', { params: { path: { id }, query: { limit: 100 } } })),
    placeholderData: (before) => before,
  });
  return (
    <Answer of={items} what="The list">
      {({ data }) => (
        <div className={css.wide} tabIndex={0} role="region" aria-label="Left alone">
          <table className={css.table}>
            <thead>
              <tr>
                <th>Id</th>
                <th>Outcome</th>
                <th>Why</th>
              </tr>
            </thead>
            <tbody>
              {data.map(({ id: item, outcome, message }) => (
                <tr key={item}>
                  <td className="mono">
                    {/^batch_(?!req_)/.test(item) ? (
                      <Link to={`/batches/${item}`} className="link">
                        {shortId(item)}
                      </Link>
                    ) : (
                      shortId(item)
                    )}
                  </td>
                  <td>{outcome === 'skipped' ? 'left alone' : 'failed'}</td>
                  <td>{message}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {left > data.length && (
            <p className="quiet" style={{ padding: '6px 14px', margin: 0 }}>
              The first {count(data.length)} of {count(left)}.
            </p>
          )}
        </div>
      )}
    </Answer>
  );
};

const Shown = ({ operation }: { operation: Operation }) => {
  const queries = useQueryClient();
  const { id, counts, status, reason, error } = operation;
  const stop = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/bulk/{id}/stop', { params: { path: { id } } })),
    onSuccess: (next) => queries.setQueryData(['bulk', id], next),
    onError: (failure) => notifications.show({ color: 'red', title: 'It was not stopped', message: failure.message }),
  });
  const over = counts.done + counts.skipped + counts.failed;
  const left = counts.skipped + counts.failed;
  const seconds = operation.started_at === null ? 0 : (operation.ended_at ?? Date.now() / 1_000) - operation.started_at;
  return (
    <Page
      title={nameOf(operation)}
      lead={going(operation) ? percent(over, counts.matched) : null}
      note={<Status of={status} chip />}
      actions={
        <>
          {['queued', 'running'].includes(status) && (
            <Button
              variant="default"
              leftSection={<IconPlayerStop size={14} aria-hidden />}
              loading={stop.isPending}
              onClick={() => stop.mutate()}
            >
              Stop
            </Button>
          )}
          <CopyAs call={{ method: 'GET', path: `/v1/bulk/${id}`, sluice: ['bulk', 'get', id] }} />
        </>
      }
    >
      <Card>
        <div className={css.meter}>
          <Progress
            of={{ total: counts.matched, ok: counts.done, bad: counts.failed, still: counts.skipped }}
            label="Progress of the operation"
          />
          <span className="num" role="status">
            {count(counts.done)} done
            {counts.skipped > 0 && `, ${count(counts.skipped)} left alone`}
            {counts.failed > 0 && `, ${count(counts.failed)} failed`}
            {` of ${count(counts.matched)}`}
          </span>
        </div>
        <p className="quiet" style={{ margin: '10px 0 0' }}>
          Asked for by {operation.created_by} <Moment at={operation.created_at} />
          {operation.ended_at !== null && `, took ${duration(seconds)}`}
          {reason && `: “${reason}”`}. What came after that moment is left alone.
        </p>
        {error && <p style={{ color: 'var(--bad)', margin: '8px 0 0' }}>{error}</p>}
      </Card>
      {left > 0 && (
        <Card title={`${plural(left, 'item')} left alone or failed`} flush>
          <Items id={id} left={left} />
        </Card>
      )}
      <Card title="What was asked">
        <Json
          value={{
            on: operation.on,
            action: operation.action,
            filter: operation.filter,
            ids: operation.ids,
            excluded: operation.excluded,
            options: operation.options,
          }}
          label="the operation"
        />
      </Card>
    </Page>
  );
};

const BulkProgress = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const operation = useQuery({
    queryKey: ['bulk', id],
    queryFn: () => bodyOf(api.GET('/v1/bulk/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data && going(state.data) ? 700 : false),
  });
  if (operation.data === undefined)
    return (
      <Page title="Operation">
        {operation.error ? (
          <Broken error={operation.error} retry={() => void operation.refetch()} what="The operation" />
        ) : (
          <Waiting rows={6} />
        )}
      </Page>
    );
  return (
    <Answer of={operation} what="The operation">
      {(data) => <Shown operation={data} />}
    </Answer>
  );
};

export default BulkProgress;
