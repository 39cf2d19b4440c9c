import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useQueries } from '@tanstack/react-query';
import { useCallback, useMemo, useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../../lib/api.ts';
import { flags } from '../../lib/snippets.ts';
import { writeQuery } from '../../lib/url.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Broken, Empty, Waiting } from '../../ui/states.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { useViews, ViewsMenu } from '../../ui/views.tsx';
import { pageSize, requestPage, type Batch, type RequestRow } from './queries.ts';
import { RequestTable } from './request-table.tsx';
import css from './requests.module.css';

interface Props {
  batch: Batch;
  /** Which requests to list; empty: all lines, addressed by their number. */
  filter: Record<string, string>;
  line: number | null;
  setLine: (line: number | null) => void;
}

/** All lines, by their number: any of them is an index away, in the table as in the database. */
const AllLines = ({ batch, line, setLine }: Props) => {
  const { total } = batch.request_counts;
  const [wanted, setWanted] = useState<readonly number[]>([Math.floor(((line ?? 1) - 1) / pageSize)]);
  const need = useCallback((first: number, last: number) => {
    const [from, to] = [Math.floor((first - 1) / pageSize), Math.floor((last - 1) / pageSize)];
    const pages = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    setWanted((before) => (pages.join() === before.join() ? before : pages));
  }, []);
  const answers = useQueries({ queries: wanted.map((page) => requestPage(batch.id, page)) });
  const failed = answers.find(({ error, data }) => error !== null && data === undefined);
  if (failed) return <Broken error={failed.error} retry={() => void failed.refetch()} what="The requests" />;
  const requestAt = (place: number): RequestRow | undefined =>
    answers[wanted.indexOf(Math.floor((place - 1) / pageSize))]?.data?.[(place - 1) % pageSize];
  return (
    <RequestTable
      batch={batch}
      total={total}
      requestAt={requestAt}
      need={need}
      openAt={line !== null && line <= total ? line : null}
      setOpenAt={setLine}
    />
  );
};

/** Those that a filter means, in the order of their lines, page after page. */
const SomeLines = ({ batch, filter, line, setLine }: Props) => {
  const asked = useInfiniteQuery({
    queryKey: ['batch', batch.id, 'requests', 'of', filter],
    queryFn: ({ pageParam }) =>
      bodyOf(
        api.GET('/v1/portal/batches/{id}/requests', {
          params: { path: { id: batch.id }, query: { ...filter, from_line: pageParam, limit: pageSize } },
        }),
      ),
    initialPageParam: 1,
    getNextPageParam: ({ next_line }) => next_line ?? undefined,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = asked;
  const rows = useMemo(() => asked.data?.pages.flatMap(({ data }) => data) ?? [], [asked.data]);
  const need = useCallback(
    (_: number, last: number) => {
      if (last >= rows.length - 20 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    [rows.length, hasNextPage, isFetchingNextPage, fetchNextPage],
  );
  if (asked.error && rows.length === 0) return <Broken error={asked.error} retry={() => void asked.refetch()} what="The requests" />;
  if (asked.data && rows.length === 0) return <Empty title="No request matches" />;
  const openAt = line === null ? -1 : rows.findIndex((request) => request.line === line);
  return (
    <RequestTable
      batch={batch}
      total={rows.length}
      requestAt={(place) => rows[place - 1]}
      need={need}
      openAt={openAt < 0 ? null : openAt + 1}
      setOpenAt={(place) => setLine(place === null ? null : (rows[place - 1]?.line ?? null))}
    />
  );
};

const groups: [string, string, (counts: Batch['request_counts']) => number][] = [
  ['', 'All', ({ total }) => total],
  ['completed', 'Succeeded', ({ completed }) => completed],
  ['failed,dead_lettered,expired', 'Failed', ({ failed, expired }) => failed + expired],
  [
    'queued,running,waiting',
    'Not ended',
    ({ total, completed, failed, cancelled, expired }) => total - completed - failed - cancelled - expired,
  ],
  ['cancelled', 'Cancelled', ({ cancelled }) => cancelled],
];

/** Views of them are of the requests of any batch: they say which to show, not of what. */
const place = { tab: 'requests' };

export const Requests = (props: Props & { setFilter: (filter: Record<string, string>) => void }) => {
  const { batch, filter, setLine, setFilter } = props;
  const state = filter['state'] ?? '';
  const views = useViews('requests', filter, place);
  const find = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('find');
    const text = typeof given === 'string' ? given.trim().replaceAll(',', '') : '';
    const line = Number(text);
    if (text === '') setFilter({});
    else if (Number.isInteger(line) && line >= 1 && line <= batch.request_counts.total) setLine(line);
    else setFilter({ custom_id: text });
  };
  if (batch.request_counts.total === 0)
    return (
      <Empty title={batch.status === 'validating' ? 'The file is still being checked' : 'There are no requests'}>
        They can be seen once the batch has started.
      </Empty>
    );
  return (
    <section className={css.frame} aria-label="Requests">
      <div className={css.tools}>
        <Segments
          label="States"
          on={state}
          choose={(value) => setFilter(value === '' ? {} : { state: value })}
          segments={groups.map(([id, label, countOf]) => ({ id, label, count: countOf(batch.request_counts) }))}
        />
        <ViewsMenu {...views} />
        <span style={{ flex: 1 }} />
        {['code', 'cause', 'custom_id'].map((name) =>
          filter[name] === undefined ? null : (
            <button key={name} type="button" className={css.badge} onClick={() => setFilter({})} title="Remove the filter">
              {filter[name].slice(0, 60)} ✕
            </button>
          ),
        )}
        <form onSubmit={find}>
          <TextInput
            name="find"
            size="xs"
            className={css.jump}
            placeholder="Line or custom id"
            aria-label="Jump to a line, or find a custom id"
            data-search
          />
        </form>
        <CopyAs
          call={{
            method: 'GET',
            path: `/v1/portal/batches/${batch.id}/requests${writeQuery(filter)}`,
            sluice: Object.keys(filter).every((name) => name === 'state')
              ? ['request', 'list', batch.id, ...flags({ state: filter['state'] })]
              : undefined,
          }}
        />
      </div>
      {!views.settled ? (
        <Waiting rows={9} />
      ) : Object.keys(filter).length === 0 ? (
        <AllLines {...props} />
      ) : (
        <SomeLines key={JSON.stringify(filter)} {...props} />
      )}
    </section>
  );
};
