import { Button, Menu, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconColumns3, IconPlus, IconSearch } from '@tabler/icons-react';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { count, plural } from '../../lib/format.ts';
import { remembered } from '../../lib/prefs.ts';
import { flags } from '../../lib/snippets.ts';
import { writeQuery } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { DataTable } from '../../ui/data-table.tsx';
import { useNow } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Broken, Empty, Stale, Waiting } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { useViews, ViewsMenu } from '../../ui/views.tsx';
import { useKeys } from '../../ui/use-keys.ts';
import { useAtMost, useLive } from '../../ui/use-live.ts';
import type { Action } from './bulk-dialog.tsx';
import { columns, menuColumn } from './columns.tsx';
import { Chips, FilterMenus } from './filters.tsx';
import {
  columnIds,
  countsQuery,
  filterOf,
  holds,
  isFiltered,
  listAddress,
  listQuery,
  replaced,
  rowOf,
  withProgress,
  type Pages,
  type Row,
  type Shown,
} from './list-query.ts';
import type { Selection } from './selection.ts';
import css from './list.module.css';

// Opened later than the page: their code comes then.
const Peek = lazy(() => import('./peek.tsx'));
const BulkDialog = lazy(() => import('./bulk-dialog.tsx').then(({ BulkDialog }) => ({ default: BulkDialog })));

const hiddenColumns = remembered<readonly string[]>('batch-columns-hidden', ['priority', 'pool', 'owner']);

/** Columns as the address has them, else as this browser remembers; they are changed where they come from. */
const useColumns = (cols: Shown['cols'], set: (patch: Partial<Shown>, how: { keep: boolean }) => void) => {
  const [remembers, remember] = hiddenColumns.use();
  const hidden = cols.length > 0 ? columnIds.filter((id) => !cols.includes(id)) : remembers;
  const shown = columnIds.filter((id) => id === 'name' || !hidden.includes(id));
  const hide = (next: readonly string[]) =>
    cols.length > 0 ? set({ cols: columnIds.filter((id) => !next.includes(id)) }, { keep: true }) : remember(next);
  return { hidden, shown, hide };
};

const tabs = [
  ['', 'All'],
  ['validating,in_progress,finalizing,cancelling', 'Running'],
  ['completed', 'Completed'],
  ['failed', 'Invalid'],
  ['expired', 'Expired'],
  ['cancelled', 'Cancelled'],
] as const;

const nothing: ReadonlySet<string> = new Set();

/** A box whose text becomes the filter when one stops typing. */
const SearchBox = ({ shown, set }: { shown: Shown; set: (patch: Partial<Shown>) => void }) => {
  const [text, setText] = useState(shown.q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(shown.q), [shown.q]);
  const type = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set({ q: value.trim() }), 250);
  };
  return (
    <TextInput
      className={css.search}
      size="xs"
      type="search"
      aria-label="Search batches"
      placeholder="Name, id, or model:x status:failed meta.project:kinase created:<24h"
      leftSection={<IconSearch size={14} aria-hidden />}
      value={text}
      data-search
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
};

/** New batches wait until they are asked for; what is shown is patched where it stands. */
const useLiveList = (shown: Shown) => {
  const queries = useQueryClient();
  const [fresh, setFresh] = useState(nothing);
  const key = listQuery(shown).queryKey;
  /** Rows that are asked for, and whether something happened to them since. */
  const asking = useRef(new Map<string, boolean>());
  const askCounts = useAtMost(500, () => void queries.invalidateQueries({ queryKey: ['batch-counts'] }));
  const ask = (id: string): void => {
    if (asking.current.has(id)) return void asking.current.set(id, true);
    asking.current.set(id, false);
    void rowOf(id)
      .then((row) => row && queries.setQueryData<Pages>(key, (now) => now && replaced(now, row)))
      .catch(() => {})
      .finally(() => {
        const again = asking.current.get(id) === true;
        asking.current.delete(id);
        if (again) ask(id);
        askCounts();
      });
  };
  useLive((event) => {
    if (event.type === 'batch.created') return setFresh((ids) => new Set([...ids, event.id]));
    const pages = queries.getQueryData<Pages>(key);
    if (!holds(pages, event.id)) return;
    if (event.type === 'batch.progress') return void queries.setQueryData<Pages>(key, (now) => now && withProgress(now, event));
    ask(event.id);
  });
  const show = () => {
    setFresh(nothing);
    void queries.invalidateQueries({ queryKey: ['batches'] });
    void queries.invalidateQueries({ queryKey: ['batch-counts'] });
  };
  return { fresh, show };
};

const ColumnMenu = ({ hidden, hide }: { hidden: readonly string[]; hide: (next: readonly string[]) => void }) => (
  <Menu closeOnItemClick={false} width={180}>
    <Menu.Target>
      <Button variant="default" leftSection={<IconColumns3 size={14} aria-hidden />}>
        Columns
      </Button>
    </Menu.Target>
    <Menu.Dropdown>
      {columns.slice(1).map(({ id, header }) => {
        const on = !hidden.includes(id);
        return (
          <Menu.CheckboxItem key={id} checked={on} onChange={() => hide(on ? [...hidden, id] : hidden.filter((each) => each !== id))}>
            {header}
          </Menu.CheckboxItem>
        );
      })}
    </Menu.Dropdown>
  </Menu>
);

const NothingYet = () => (
  <Empty
    title="No batches yet"
    actions={<Button renderRoot={(props) => <Link to="/batches/new" {...props} />}>Create the first one</Button>}
  >
    A batch is a file of requests, one JSON object a line. The page takes one, checks it and shows its results; so does the API.
  </Empty>
);

/** The command of `sluice` that lists the same; what it has no options for is left to `sluice api`. */
const commandOf = (shown: Shown): readonly string[] | undefined => {
  const { status, q, ...others } = filterOf(shown);
  if (Object.keys(others).length > 0 || status?.includes(',')) return undefined;
  if (q === undefined) return ['batch', 'list', ...flags({ status })];
  return status === undefined ? ['batch', 'find', '--', ...q.split(/\s+/)] : undefined;
};

// Beside the name: at the far end it would be out of sight on most screens.
const withMenu = [columns[0]!, menuColumn, ...columns.slice(1)];

const idOf = (row: Row): string => row.id;

const List = () => {
  const { values: shown, dropped, set } = useAddress(listAddress);
  const navigate = useNavigate();
  const { hidden, shown: cols, hide } = useColumns(shown.cols, set);
  const { peek: _, ...address } = listAddress.format({ ...shown, cols });
  const views = useViews('batches', address);
  const [selected, setSelected] = useState<ReadonlySet<string>>(nothing);
  const [whole, setWhole] = useState(false);
  const [action, setAction] = useState<Action | null>(null);
  const list = useInfiniteQuery({ ...listQuery(shown), enabled: views.settled });
  const counts = useQuery({ ...countsQuery(shown), enabled: views.settled });
  const { fresh: made, show } = useLiveList(shown);
  useNow(30);
  const rows = useMemo(() => list.data?.pages.flatMap(({ data }) => data) ?? [], [list.data]);
  // What was made before the list was asked for is in it already.
  const fresh = useMemo(() => made.size - rows.filter(({ id }) => made.has(id)).length, [made, rows]);
  const filterKey = JSON.stringify(filterOf(shown));
  useEffect(() => {
    setSelected(nothing);
    setWhole(false);
  }, [filterKey]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isPlaceholderData } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isPlaceholderData) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isPlaceholderData, fetchNextPage]);

  const total = counts.data?.total;
  const allPicked = rows.length > 0 && rows.every((row) => selected.has(row.id));
  const canAll = allPicked && total !== undefined && total > rows.length && isFiltered(shown);
  const selection: Selection = whole ? { kind: 'filter', shown, exclude: nothing } : { kind: 'ids', ids: selected };
  const chosen = whole ? (total ?? 0) : selected.size;
  const pick = (next: ReadonlySet<string>) => {
    setSelected(next);
    setWhole(false);
  };
  const step = (by: number) => {
    const at = rows.findIndex(({ id }) => id === shown.peek);
    const to = rows[at + by];
    if (at >= 0 && to) set({ peek: to.id }, { keep: true });
  };
  useKeys({
    '[': () => step(-1),
    ']': () => step(1),
    n: () => void navigate({ to: '/batches/new' }),
    m: () => document.activeElement?.querySelector<HTMLElement>('[aria-haspopup=menu]')?.click(),
    Escape: () => (shown.peek !== '' ? set({ peek: '' }, { keep: true }) : pick(nothing)),
  });
  const statusCount = (value: string): number | undefined => {
    const of = counts.data?.status;
    if (of === undefined) return undefined;
    const wanted = value === '' ? null : value.split(',');
    return of.reduce((sum, { value: status, count: n }) => (wanted === null || wanted.includes(status) ? sum + n : sum), 0);
  };
  const searched = total === undefined ? '' : `${counts.data?.estimated ? '≈ ' : ''}${plural(total, 'batch', 'batches')}`;

  return (
    <Page
      title="Batches"
      note={<span className="num">{searched}</span>}
      fill
      actions={
        <>
          {fresh > 0 && (
            <button type="button" className={css.fresh} onClick={show}>
              {fresh > 100 ? '100+' : fresh} new · show
            </button>
          )}
          <CopyAs
            call={{
              method: 'GET',
              path: `/v1/portal/batches${writeQuery(filterOf(shown))}`,
              ...(!isFiltered(shown) && { openai: { python: 'batches.list()', node: 'batches.list()' } }),
              sluice: commandOf(shown),
            }}
          />
          <Button leftSection={<IconPlus size={14} aria-hidden />} renderRoot={(props) => <Link to="/batches/new" {...props} />}>
            New batch
          </Button>
        </>
      }
    >
      <Tabs
        label="Batches by status"
        on={shown.status.join(',')}
        tabs={tabs.map(([id, label]) => ({ id, label, count: statusCount(id), search: { status: id === '' ? undefined : id } }))}
      />
      <div className={css.tools}>
        <ViewsMenu {...views} />
        <SearchBox shown={shown} set={(patch) => set(patch, { keep: true })} />
        <FilterMenus shown={shown} counts={counts.data} set={set} />
        <ColumnMenu hidden={hidden} hide={hide} />
      </div>
      {dropped.length > 0 && (
        <p role="status" className="quiet" style={{ margin: 0 }}>
          {dropped.join(', ')} in the address could not be read, and {dropped.length === 1 ? 'was' : 'were'} left out.
        </p>
      )}
      <Chips shown={shown} set={set} />
      {selected.size > 0 && (
        <div className={css.bulk} role="region" aria-label="Selection">
          <b className="num" role="status">
            {whole ? `All ${count(chosen)} matching selected` : `${count(chosen)} selected`}
          </b>
          {canAll && !whole && (
            <Button variant="subtle" onClick={() => setWhole(true)}>
              Select all {count(total)} matching
            </Button>
          )}
          <span style={{ flex: 1 }} />
          <Button variant="default" onClick={() => setAction('retry')}>
            Retry failed
          </Button>
          <Button variant="default" onClick={() => setAction('priority')}>
            Priority
          </Button>
          <Button variant="default" onClick={() => setAction('deadline')}>
            Deadline
          </Button>
          <Button variant="default" c="var(--bad)" onClick={() => setAction('cancel')}>
            Cancel
          </Button>
          <Button variant="subtle" color="gray" c="var(--ink-2)" onClick={() => pick(nothing)}>
            Clear
          </Button>
        </div>
      )}
      {list.error && list.data ? <Stale since={list.dataUpdatedAt} retry={() => void list.refetch()} /> : null}
      <div className={css.body}>
        {list.error && !list.data ? (
          <Broken error={list.error} retry={() => void list.refetch()} what="The list of batches" />
        ) : list.isPending ? (
          <div style={{ flex: 1 }}>
            <Waiting rows={12} height={44} />
          </div>
        ) : (
          <DataTable
            label="Batches"
            columns={withMenu}
            hidden={hidden}
            rows={rows}
            idOf={idOf}
            total={total}
            rowHeight={44}
            sort={shown.sort}
            onSort={(sort) => set({ sort })}
            selected={selected}
            onSelect={pick}
            onOpen={({ id }) => void navigate({ to: `/batches/${id}` })}
            onPeek={({ id }) => set({ peek: shown.peek === id ? '' : id }, { keep: true })}
            onEnd={more}
            dim={isPlaceholderData}
            empty={
              isFiltered(shown) ? (
                <Empty
                  title="No batch matches"
                  actions={
                    <Button
                      variant="default"
                      onClick={() => set({ status: [], model: '', user: '', pool: '', priority: '', sla: [], q: '', from: '', to: '' })}
                    >
                      Clear the filter
                    </Button>
                  }
                >
                  All batches were searched, with the filter above.
                </Empty>
              ) : (
                <NothingYet />
              )
            }
          />
        )}
        <Suspense>
          {shown.peek !== '' && <Peek key={shown.peek} id={shown.peek} close={() => set({ peek: '' }, { keep: true })} />}
        </Suspense>
      </div>
      <Suspense>
        {action && <BulkDialog action={action} selection={selection} close={() => setAction(null)} ran={() => pick(nothing)} />}
      </Suspense>
    </Page>
  );
};

export default List;
