import { IconCopy } from '@tabler/icons-react';
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { count, duration, none } from '../../lib/format.ts';
import { geometry } from '../../lib/geometry.ts';
import { Moment } from '../../ui/moment.tsx';
import { Status } from '../../ui/status.tsx';
import { useKeys } from '../../ui/use-keys.ts';
import type { Batch, RequestRow } from './queries.ts';
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

/** Requests by their place, of which only those in sight are in the page; they open where they stand, and the keyboard goes from one to the next. */
export const RequestTable = ({
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
