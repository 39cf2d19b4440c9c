import { useVirtualizer } from '@tanstack/react-virtual';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { memo, useCallback, useEffect, useMemo, useRef, useState, type MouseEvent, type ReactNode } from 'react';
import { keyOf, singleKeys } from '../lib/keys.ts';
import css from './data-table.module.css';

export interface Column<Row, Sort extends string = string> {
  id: string;
  header: ReactNode;
  /** As CSS grid takes it, its least in pixels first: `120px`, `minmax(180px, 2fr)`. */
  width: string;
  cell: (row: Row) => ReactNode;
  /** By what the server sorts when its header is pressed. */
  sort?: Sort;
  right?: boolean;
}

interface TableProps<Row, Sort extends string> {
  /** What is listed, for those who do not see it. */
  label: string;
  columns: readonly Column<Row, Sort>[];
  hidden?: readonly string[];
  rows: readonly Row[];
  idOf: (row: Row) => string;
  /** How many there are, more than are loaded where the end is not reached. */
  total?: number | undefined;
  rowHeight?: number;
  sort?: { by: Sort; down: boolean };
  onSort?: (sort: { by: Sort; down: boolean }) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  onOpen?: (row: Row) => void;
  onPeek?: (row: Row) => void;
  /** The end of what is loaded comes into view. */
  onEnd?: () => void;
  /** What is shown is of another filter than what is asked for. */
  dim?: boolean;
  /** In place of rows where there are none. */
  empty?: ReactNode;
  foot?: ReactNode;
}

interface RowProps {
  id: string;
  index: number;
  start: number;
  height: number;
  template: string;
  chosen: boolean | null;
  current: boolean;
  cells: { id: string; right: boolean; content: ReactNode }[];
  onPick: (index: number, range: boolean) => void;
}

const stop = (event: MouseEvent) => event.stopPropagation();

const Item = memo(({ id, index, start, height, template, chosen, current, cells, onPick }: RowProps) => (
  <div
    role="row"
    aria-rowindex={index + 2}
    aria-selected={chosen ?? undefined}
    data-index={index}
    tabIndex={current ? 0 : -1}
    className={`${css.row} ${css.item}`}
    style={{ transform: `translateY(${start}px)`, height, gridTemplateColumns: template }}
  >
    {chosen !== null && (
      <div role="gridcell">
        <label className={css.pick} onClick={stop}>
          <input
            type="checkbox"
            checked={chosen}
            tabIndex={-1}
            aria-label={`Select ${id}`}
            onChange={(event) => onPick(index, (event.nativeEvent as unknown as { shiftKey?: boolean }).shiftKey === true)}
          />
        </label>
      </div>
    )}
    {cells.map(({ id: cell, right, content }) => (
      <div role="gridcell" key={cell} className={right ? `${css.cell} ${css.right}` : css.cell}>
        {content}
      </div>
    ))}
  </div>
));

/**
 * Rows of one height, of which only those in view exist. Keys work wherever the focus is but in fields: j and k move,
 * Enter opens, Space peeks, x selects, X selects a range.
 */
export const DataTable = <Row, Sort extends string = string>(props: TableProps<Row, Sort>) => {
  const {
    label,
    columns,
    hidden,
    rows,
    idOf,
    total,
    rowHeight = 40,
    sort,
    onSort,
    selected,
    onSelect,
    onOpen,
    onPeek,
    onEnd,
    dim,
    empty,
    foot,
  } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(0);
  const shown = useMemo(() => columns.filter(({ id }) => hidden?.includes(id) !== true), [columns, hidden]);
  const template = `${selected ? '36px ' : ''}${shown.map(({ width }) => width).join(' ')}`;
  // Below that it is scrolled sideways. What cells hold does not count: they are cut, and a table would move under its reader.
  const least = shown.reduce((sum, { width }) => sum + Number(/\d+/.exec(width)![0]), selected ? 36 : 0);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => idOf(rows[index]!),
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= 0 && last >= rows.length - 5) onEnd?.();
  }, [last, rows.length, onEnd]);

  const anchor = useRef(0);
  const pick = useCallback(
    (index: number, range: boolean) => {
      if (!selected || !onSelect) return;
      const next = new Set(selected);
      const [from, to] = range ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index];
      const on = range || !next.has(idOf(rows[index]!));
      for (let i = from; i <= to; i++) {
        const id = idOf(rows[i]!);
        if (on) next.add(id);
        else next.delete(id);
      }
      anchor.current = index;
      onSelect(next);
    },
    [selected, onSelect, rows, idOf],
  );

  const focusRow = (index: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, index));
    setCursor(to);
    virtual.scrollToIndex(to, { align: 'auto' });
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus({ preventScroll: true }));
  };

  const press = useRef<(event: KeyboardEvent) => void>(() => {});
  press.current = (event) => {
    const key = keyOf(event);
    if (key === null || rows.length === 0 || document.querySelector('[role=dialog][aria-modal=true], [role=menu]')) return;
    const inside = scroll.current?.contains(document.activeElement) === true;
    const onRow = inside && document.activeElement?.getAttribute('role') === 'row';
    const row = rows[Math.min(cursor, rows.length - 1)]!;
    const acts: Record<string, (() => void) | undefined> = {
      ...(singleKeys.on() && {
        j: () => focusRow(onRow ? cursor + 1 : cursor),
        k: () => focusRow(onRow ? cursor - 1 : cursor),
        x: selected && (() => pick(cursor, false)),
        X: selected && (() => pick(cursor, true)),
      }),
      ...(inside && {
        ArrowDown: () => focusRow(cursor + 1),
        ArrowUp: () => focusRow(cursor - 1),
        Home: () => focusRow(0),
        End: () => focusRow(rows.length - 1),
      }),
      ...(onRow && { Enter: onOpen && (() => onOpen(row)), Space: onPeek && (() => onPeek(row)) }),
    };
    const act = acts[key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  useEffect(() => {
    const listen = (event: KeyboardEvent) => press.current(event);
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);

  const click = (event: MouseEvent<HTMLDivElement>) => {
    const element = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    if (!element) return;
    const index = Number(element.dataset['index']);
    setCursor(index);
    if ((event.target as HTMLElement).closest('a, button, input, label') || getSelection()?.type === 'Range') return;
    const row = rows[index];
    if (row !== undefined) (onPeek ?? onOpen)?.(row);
  };
  const open = (event: MouseEvent<HTMLDivElement>) => {
    const element = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    const row = element ? rows[Number(element.dataset['index'])] : undefined;
    if (row !== undefined && !(event.target as HTMLElement).closest('a, button, input, label')) onOpen?.(row);
  };
  const all = selected !== undefined && rows.length > 0 && rows.every((row) => selected.has(idOf(row)));
  const some = selected !== undefined && selected.size > 0;

  return (
    <div className={css.frame}>
      <div className={css.scroll} ref={scroll}>
        <div
          role="grid"
          aria-label={label}
          aria-rowcount={(total ?? rows.length) + 1}
          aria-multiselectable={selected ? true : undefined}
          className={css.grid}
          style={{ minWidth: least }}
        >
          <div role="rowgroup">
            <div role="row" aria-rowindex={1} className={`${css.row} ${css.head}`} style={{ gridTemplateColumns: template }}>
              {selected && (
                <div role="columnheader">
                  <label className={css.pick}>
                    <input
                      type="checkbox"
                      checked={all}
                      ref={(box) => {
                        if (box) box.indeterminate = some && !all;
                      }}
                      aria-label="Select all loaded rows"
                      onChange={() => onSelect?.(all ? new Set() : new Set(rows.map(idOf)))}
                    />
                  </label>
                </div>
              )}
              {shown.map(({ id, header, sort: by, right }) => {
                const on = sort !== undefined && by === sort.by;
                return (
                  <div
                    role="columnheader"
                    key={id}
                    className={right ? `${css.cell} ${css.right}` : css.cell}
                    aria-sort={on ? (sort.down ? 'descending' : 'ascending') : undefined}
                  >
                    {by !== undefined && onSort ? (
                      <button
                        type="button"
                        className={css.sort}
                        data-on={on || undefined}
                        onClick={() => onSort({ by, down: on ? !sort.down : true })}
                      >
                        {header}
                        {on && (sort.down ? <IconArrowDown size={12} aria-hidden /> : <IconArrowUp size={12} aria-hidden />)}
                      </button>
                    ) : (
                      header
                    )}
                  </div>
                );
              })}
            </div>
          </div>
          {rows.length > 0 && (
            <div
              role="rowgroup"
              className={dim ? `${css.body} ${css.dim}` : css.body}
              style={{ height: virtual.getTotalSize() }}
              onClick={click}
              onDoubleClick={open}
            >
              {items.map(({ index, start, key }) => {
                const row = rows[index]!;
                const id = idOf(row);
                return (
                  <Item
                    key={key}
                    id={id}
                    index={index}
                    start={start}
                    height={rowHeight}
                    template={template}
                    chosen={selected ? selected.has(id) : null}
                    current={index === cursor}
                    onPick={pick}
                    cells={shown.map(({ id, cell, right }) => ({ id, right: right === true, content: cell(row) }))}
                  />
                );
              })}
            </div>
          )}
        </div>
        {rows.length === 0 && empty}
      </div>
      {foot !== undefined && <div className={css.foot}>{foot}</div>}
    </div>
  );
};
