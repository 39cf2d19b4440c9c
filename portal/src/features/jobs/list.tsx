import { Button } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { api, bodyOf } from '../../lib/api.ts';
import { duration, none, plural, shortId } from '../../lib/format.ts';
import { flags } from '../../lib/snippets.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Filters } from '../../ui/filters.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { useViews, ViewsMenu } from '../../ui/views.tsx';
import { labelOf, open, statusOf, views, type Job, type View } from './words.ts';

const codec = address<{ show: View; model: string; user: string }>({
  show: param.choice(views, 'all'),
  model: param.text(300),
  user: param.text(200),
});

const took = (ms: number | null): string => (ms === null ? none : duration(ms / 1_000));

const columns: Column<Job>[] = [
  {
    id: 'id',
    header: 'Job',
    width: '140px',
    cell: ({ id }) => (
      <Link to={`/jobs/${id}`} className="mono link" title={id}>
        {shortId(id)}
      </Link>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    width: '130px',
    cell: ({ status, cancel_requested: cancelled }) => (
      <Status of={status} {...(cancelled && open(status) && { word: 'Cancelling', tone: 'warn' as const })} />
    ),
  },
  { id: 'model', header: 'Model', width: 'minmax(120px, 1.5fr)', cell: ({ model }) => <span title={model}>{model}</span> },
  {
    id: 'error',
    header: 'Error',
    width: 'minmax(100px, 1.5fr)',
    cell: ({ error }) => error && <span title={error.message}>{error.code}</span>,
  },
  { id: 'attempts', header: 'Attempts', width: '76px', right: true, cell: ({ attempts }) => attempts },
  { id: 'queue', header: 'Queued for', width: '92px', right: true, cell: ({ queue_time_ms: ms }) => took(ms) },
  {
    id: 'inference',
    header: 'Ran for',
    width: '92px',
    right: true,
    cell: ({ inference_time_ms: ms, slow }) => (
      <span title={slow ? 'Longer than its soft limit' : undefined}>{`${took(ms)}${slow ? ' (slow)' : ''}`}</span>
    ),
  },
  { id: 'user', header: 'By', width: '90px', cell: ({ user }) => user },
  { id: 'created', header: 'Submitted', width: '100px', right: true, cell: ({ created_at: at }) => <Moment at={at} /> },
];

/** How often what is open is asked for again: jobs take seconds, and have no stream of their own. */
const every = 3_000;

/** Single requests in the background: which wait, which run, how long each took. */
const Jobs = () => {
  const { values, set } = useAddress(codec);
  const navigate = useNavigate();
  const saved = useViews('jobs', codec.format(values));
  const query = {
    limit: 100,
    ...(statusOf[values.show] && { status: statusOf[values.show] }),
    ...(values.model !== '' && { model: values.model }),
    ...(values.user !== '' && { user: values.user }),
  };
  const jobs = useInfiniteQuery({
    queryKey: ['jobs', values],
    queryFn: ({ pageParam }) =>
      bodyOf(api.GET('/v1/jobs', { params: { query: { ...query, ...(pageParam !== '' && { after: pageParam }) } } })),
    initialPageParam: '',
    enabled: saved.settled,
    getNextPageParam: (page) => (page.has_more ? page.last_id : undefined),
    // Only the first page changes by itself: whoever has gone further reads what was.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) === 1 ? every : false),
    placeholderData: keepPreviousData,
  });
  const filtered = values.show !== 'all' || values.model !== '' || values.user !== '';
  const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return (
    <Page
      title="Jobs"
      actions={
        <CopyAs
          call={{
            method: 'GET',
            path: `/v1/jobs?${asked}`,
            sluice: ['job', 'list', ...flags({ status: query.status, model: query.model, user: query.user })],
          }}
        />
      }
      fill
    >
      <Tabs
        label="Jobs by status"
        on={values.show}
        tabs={views.map((id) => ({ id, label: labelOf[id], search: { show: id === 'all' ? undefined : id } }))}
      />
      <Filters
        fields={[
          { name: 'model', label: 'Model', width: 220 },
          { name: 'user', label: 'Submitted by' },
        ]}
        values={values}
        apply={set}
        lead={<ViewsMenu {...saved} />}
      >
        {filtered && (
          <Button variant="subtle" onClick={() => set({ show: 'all', model: '', user: '' })}>
            Show all
          </Button>
        )}
      </Filters>
      <Answer of={jobs} what="The list of jobs">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data);
          return (
            <DataTable
              label="Jobs"
              columns={columns}
              rows={rows}
              idOf={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: `/jobs/${id}` })}
              dim={jobs.isPlaceholderData}
              onEnd={() => void (jobs.hasNextPage && !jobs.isFetchingNextPage && jobs.fetchNextPage())}
              foot={rows.length > 0 && `${plural(rows.length, 'job')}${jobs.hasNextPage ? ' so far' : ''}`}
              empty={
                filtered ? (
                  <Empty
                    title="No job is like that"
                    actions={
                      <Button variant="default" onClick={() => set({ show: 'all', model: '', user: '' })}>
                        Show all jobs
                      </Button>
                    }
                  />
                ) : (
                  <Empty title="No jobs yet">
                    <p>A job is one request, answered in the background.</p>
                    <p className="mono">sluice job run --model echo --input '&#123;"x": 1&#125;'</p>
                  </Empty>
                )
              }
            />
          );
        }}
      </Answer>
    </Page>
  );
};

export default Jobs;
