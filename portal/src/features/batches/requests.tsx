import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useQueries } from '@tanstack/react-query';
import { IconCopy } from '@tabler/icons-react';
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../../lib/api.ts';
import { flags } from '../../lib/snippets.ts';
import { count, duration, none } from '../../lib/format.ts';
import { geometry } from '../../lib/geometry.ts';
import { writeQuery } from '../../lib/url.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Broken, Empty, Waiting } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { useKeys } from '../../ui/use-keys.ts';
import { useViews, ViewsMenu } from '../../ui/views.tsx';
import { pageSize, requestPage, type Batch, type RequestRow } from './queries.ts';
import { RequestPanel } from './request-panel.tsx';
import css from './requests.module.css';

const rowHeight = 32;
const panelHeight = 320;
/** Rows beyond the window, above and below. */
const beyond = 4;

/** What is to be known of a request that went well: whose answer it got, that it was moved. */
const RowNotes = ({ request }: { request: RequestRow }) => (
  <>
    {request.original !== null && (
      <span className={css.badge} title={`The answer is that of ${request.original}`}>
        <IconCopy size={12} aria-hidden /> taken over
      </span>
    )}
    {request.escalated && <span className={css.badge}>escalated</span>}
  </>
);

interface RowProps {
  /** Its place among those listed, from 1: its line where all are. */
  place: number;
  top: number;
  height: number;
  request: RequestRow | undefined;
  open: boolean;
  cursor: boolean;
  toggle: (place: number) => void;
}

/** Seventeen elements a row: a window of a large screen stays below the 600 that the whole table may have. */
const Row = memo(({ place, top, height, request, open, cursor, toggle }: RowProps) => (
  <div
    role="rowgroup"
    className={css.item}
    style={{ top, height }}
    data-place={place}
    data-cursor={cursor || undefined}
    tabIndex={cursor ? 0 : -1}
  >
    <div role="row" aria-rowindex={place + 1} className={css.row}>
      <div role="gridcell">
        <button
          type="button"
          className={css.open}
          aria-expanded={open}
          aria-label={`Line ${count(request?.line ?? place)}`}
          tabIndex={-1}
          onClick={() => toggle(place)}
        >
          {count(request?.line ?? place)}
        </button>
      </div>
      {request === undefined ? (
        <div role="gridcell" className={`${css.cell} quiet`} style={{ gridColumn: 'span 8' }}>
          …
        </div>
      ) : (
        <>
          <div role="gridcell" className={`${css.cell} mono`} title={request.custom_id ?? undefined}>
            {request.custom_id ?? none}
          </div>
          <div role="gridcell" className={css.cell}>
            <Status of={request.state} />
          </div>
          <div role="gridcell" className={`${css.cell} ${css.right}`}>
            {request.attempts}
          </div>
          <div role="gridcell" className={`${css.cell} ${css.right}`}>
            {request.duration_ms === null ? none : duration(request.duration_ms / 1_000)}
          </div>
          <div role="gridcell" className={`${css.cell} mono quiet`}>
            {request.model ?? none}
          </div>
          <div role="gridcell" className={css.cell}>
            {request.pool ?? none}
          </div>
          <div role="gridcell" className={css.cell} title={request.message ?? undefined}>
            {request.error ? (
              <>
                <span className="mono">{request.error}</span> <span className="quiet">{request.message}</span>
              </>
            ) : (
              <RowNotes request={request} />
            )}
          </div>
          <div role="gridcell" className={css.cell}>
            <Moment at={request.finished_at} />
          </div>
        </>
      )}
    </div>
    {open && (
      <div role="row">
        <div role="gridcell" className={css.panel}>
          {request && <RequestPanel id={request.id} />}
        </div>
      </div>
    )}
  </div>
));

interface Props {
  batch: Batch;
  /** Which requests to list; empty: all lines, addressed by their number. */
  filter: Record<string, string>;
  line: number | null;
  setLine: (line: number | null) => void;
}

/** What is in the window of a list of `total` rows. */
const useWindow = (total: number, openPlaces: readonly number[]) => {
  const scroll = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ scrolled: 0, viewport: 600 });
  const rows = useMemo(() => geometry({ total, row: rowHeight, expanded: openPlaces, extra: panelHeight }), [total, openPlaces]);
  useLayoutEffect(() => {
    const element = scroll.current;
    if (!element) return;
    const look = () => setView({ scrolled: element.scrollTop, viewport: element.clientHeight - 30 });
    look();
    element.addEventListener('scroll', look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      resized.disconnect();
    };
  }, []);
  const from = rows.rowsAt(view.scrolled, view.viewport);
  const first = Math.max(1, rows.lineAt(from) - beyond);
  const last = Math.min(total, rows.lineAt(from + view.viewport) + beyond);
  const goTo = useCallback(
    (place: number, always = true) => {
      const element = scroll.current;
      if (!element) return;
      const viewport = element.clientHeight - 30;
      const at = rows.rowsAt(element.scrollTop, viewport);
      const [top, bottom] = [rows.top(place), rows.top(place) + Math.min(rows.heightOf(place), viewport)];
      if (!always && top >= at && bottom <= at + viewport) return;
      element.scrollTop = rows.scrollFor(always ? top : top < at ? top : bottom - viewport, viewport);
    },
    [rows],
  );
  /** Rows stand where they are by their own pixels, moved with the element where it is shorter than they are. */
  const shift = view.scrolled - from;
  return { scroll, rows, first, last, goTo, shift };
};

const Table = ({
  batch,
  total,
  requestAt,
  need,
  openAt,
  setOpenAt,
}: {
  batch: Batch;
  total: number;
  requestAt: (place: number) => RequestRow | undefined;
  need: (first: number, last: number) => void;
  openAt: number | null;
  setOpenAt: (place: number | null) => void;
}) => {
  const [opened, setOpened] = useState<readonly number[]>(openAt === null ? [] : [openAt]);
  const [cursor, setCursor] = useState(openAt ?? 1);
  const { scroll, rows, first, last, goTo, shift } = useWindow(total, opened);
  useEffect(() => need(first, last), [need, first, last]);

  // A link to a line scrolls to it and opens it, also the second time.
  const went = useRef<number | null>(null);
  useEffect(() => {
    if (openAt === null || went.current === openAt) return;
    went.current = openAt;
    setOpened((before) => (before.includes(openAt) ? before : [...before, openAt].sort((a, b) => a - b)));
    setCursor(openAt);
    goTo(openAt);
  }, [openAt, goTo]);

  const toggle = useCallback(
    (place: number) => {
      setCursor(place);
      setOpened((before) => (before.includes(place) ? before.filter((each) => each !== place) : [...before, place].sort((a, b) => a - b)));
      went.current = place;
      setOpenAt(opened.includes(place) ? null : place);
    },
    [opened, setOpenAt],
  );
  const move = (to: number) => {
    const place = Math.max(1, Math.min(total, to));
    setCursor(place);
    goTo(place, false);
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus({ preventScroll: true }));
  };
  const inside = () => scroll.current?.contains(document.activeElement) === true;
  const onRow = () => document.activeElement?.hasAttribute('data-place') === true;
  useKeys({
    j: () => move(onRow() ? cursor + 1 : cursor),
    k: () => move(onRow() ? cursor - 1 : cursor),
    e: () => toggle(cursor),
    ...(inside() &&
      onRow() && {
        Enter: () => toggle(cursor),
        Space: () => toggle(cursor),
        ArrowDown: () => move(cursor + 1),
        ArrowUp: () => move(cursor - 1),
        Home: () => move(1),
        End: () => move(total),
      }),
  });
  const places = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  return (
    <div className={css.scroll} ref={scroll} onFocus={() => setCursor((now) => now)}>
      <div role="grid" aria-label={`Requests of ${batch.name ?? batch.id}`} aria-rowcount={total + 1} className={css.grid}>
        <div role="rowgroup" className={css.head}>
          <div role="row" aria-rowindex={1} className={css.row} style={{ height: 30 }}>
            {['Line', 'Custom id', 'State', 'Tries', 'Took', 'Model', 'Pool', 'Error or note', 'Ended'].map((name, i) => (
              <div key={name} role="columnheader" className={[0, 3, 4].includes(i) ? `${css.cell} ${css.right}` : css.cell}>
                {name}
              </div>
            ))}
          </div>
        </div>
        <div role="presentation" style={{ height: rows.height, position: 'relative' }}>
          {places.map((place) => (
            <Row
              key={place}
              place={place}
              top={rows.top(place) + shift}
              height={rows.heightOf(place)}
              request={requestAt(place)}
              open={opened.includes(place)}
              cursor={place === cursor}
              toggle={toggle}
            />
          ))}
        </div>
      </div>
    </div>
  );
};

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
    <Table
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
    <Table
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
