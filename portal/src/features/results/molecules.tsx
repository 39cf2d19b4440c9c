import { Button, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { count, plural } from '../../lib/format.ts';
import { Answer, Empty } from '../../ui/states.tsx';
import { Molecule } from '../../ui/molecule.tsx';
import { properties, shown, smilesOf, textOf } from './columns.ts';
import { ask, type Column, type Held, type Page, type Row } from './queries.ts';
import css from './results.module.css';

/** Cards that are asked for at a time. */
const limit = 60;

interface Shown {
  batch: string;
  where: string;
  sort: string;
  smarts: string;
}

/** Rows of the table, page after page. */
const rowsQuery = ({ batch, where, sort }: Shown) => ({
  queryKey: ['results', batch, 'molecules', { where, sort }],
  queryFn: ({ pageParam }: { pageParam: number }) =>
    ask<Page>(batch, 'page', { where: where || undefined, sort: sort || undefined, offset: pageParam, limit }),
  initialPageParam: 0,
  getNextPageParam: (page: Page) => (page.has_more ? page.offset + page.data.length : undefined),
  placeholderData: keepPreviousData,
  staleTime: Infinity,
});

/** Those with a substructure: the server looks through a part of the table an answer. */
const heldQuery = ({ batch, where, sort, smarts }: Shown) => ({
  queryKey: ['results', batch, 'held', { where, sort, smarts }],
  queryFn: ({ pageParam, signal }: { pageParam: number; signal: AbortSignal }) =>
    ask<Held>(batch, 'molecules', { smarts, where: where || undefined, sort: sort || undefined, offset: pageParam, limit }, signal),
  initialPageParam: 0,
  getNextPageParam: (page: Held) => page.next_offset ?? undefined,
  staleTime: Infinity,
});

/** How far the search has come, which goes on by itself until there are as many as are wanted. */
const Search = ({ shown, pages, more, busy }: { shown: Shown; pages: readonly Held[]; more: (() => void) | null; busy: boolean }) => {
  const [wanted, setWanted] = useState(limit);
  const found = pages.reduce((sum, { data }) => sum + data.length, 0);
  const looked = pages.reduce((sum, page) => sum + page.looked, 0);
  const total = pages.at(-1)?.total ?? 0;
  const goes = more !== null && found < wanted;
  useEffect(() => {
    if (goes && !busy) more();
  });
  return (
    <span className={css.search}>
      <span className="quiet num" role="status">
        {count(found)} of {more === null ? plural(total, 'row') : `the first ${count(looked)} rows`} hold{found === 1 ? 's' : ''}{' '}
        {shown.smarts}
        {more !== null && `; ${count(total)} in all`}
      </span>
      {more !== null && <progress value={looked} max={total} aria-label="Rows looked at" />}
      {goes ? (
        <Button variant="default" onClick={() => setWanted(0)}>
          Stop
        </Button>
      ) : (
        more !== null && (
          <Button variant="default" onClick={() => setWanted(found + limit)}>
            Look on
          </Button>
        )
      )}
    </span>
  );
};

interface Props {
  batch: string;
  columns: readonly Column[];
  where: string;
  sort: string;
  smarts: string;
  setSmarts: (smarts: string) => void;
}

/** Molecules as cards, drawn by the server, those of the whole table that hold a substructure picked out and coloured. */
export const Molecules = ({ columns, setSmarts, ...shownOf }: Props) => {
  const { batch, smarts } = shownOf;
  const smiles = smilesOf(columns);
  const numbers = properties(columns).slice(0, 4);
  const all = useInfiniteQuery({ ...rowsQuery(shownOf), enabled: smiles !== null && smarts === '' });
  const held = useInfiniteQuery({ ...heldQuery(shownOf), enabled: smiles !== null && smarts !== '' });
  if (smiles === null) return <Empty title="There are no molecules here">No column of this table holds SMILES.</Empty>;
  const rows: { data: { pages: readonly { data: readonly unknown[] }[] } | undefined } = smarts === '' ? all : held;
  const shownRows = (rows.data?.pages ?? []).flatMap(({ data }) => data) as Row[];
  return (
    <>
      <form
        className={css.choices}
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get('smarts');
          setSmarts(typeof text === 'string' ? text.trim() : '');
        }}
      >
        <TextInput
          name="smarts"
          size="xs"
          aria-label="Substructure"
          placeholder="Substructure as SMARTS: c1ccccc1O"
          key={smarts}
          defaultValue={smarts}
          w={280}
          spellCheck={false}
        />
        <Button type="submit" variant="default">
          Find
        </Button>
        {smarts !== '' && held.data && (
          <Search
            key={JSON.stringify(shownOf)}
            shown={shownOf}
            pages={held.data.pages}
            more={held.hasNextPage ? () => void held.fetchNextPage() : null}
            busy={held.isFetching || held.isError}
          />
        )}
      </form>
      <Answer<unknown> of={smarts === '' ? all : held} what="The molecules">
        {() => (
          <>
            <ul className={css.cards}>
              {shownRows.map((row) => {
                const text = textOf(row, smiles);
                return (
                  <li key={String(row['line'])} className={css.hit}>
                    {text === null ? (
                      <p className="quiet">No SMILES: {shown(row['error_message'])}</p>
                    ) : (
                      <Molecule smiles={text} width={200} height={130} {...(smarts !== '' && { highlight: smarts })} />
                    )}
                    <div className={css.hitHead}>
                      <Link to={`/batches/${batch}`} search={{ tab: 'requests', line: String(row['line']) }} className="link cut">
                        {shown(row['custom_id'])}
                      </Link>
                    </div>
                    <dl className={css.figures}>
                      {numbers.map(({ name }) => (
                        <div key={name}>
                          <dt className="cut">{name}</dt>
                          <dd>{shown(row[name])}</dd>
                        </div>
                      ))}
                    </dl>
                  </li>
                );
              })}
            </ul>
            {smarts === '' && all.hasNextPage && (
              <div>
                <Button variant="default" loading={all.isFetchingNextPage} onClick={() => void all.fetchNextPage()}>
                  Show more of {count(all.data?.pages[0]?.total ?? 0)}
                </Button>
              </div>
            )}
          </>
        )}
      </Answer>
    </>
  );
};
