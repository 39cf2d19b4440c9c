import { Button, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { call } from '../../lib/api.ts';
import { count, plural } from '../../lib/format.ts';
import { Answer, Empty } from '../../ui/states.tsx';
import { Molecule } from '../../ui/molecule.tsx';
import { properties, shown, smilesOf, textOf } from './columns.ts';
import { ask, type Column, type Page, type Row } from './queries.ts';
import css from './results.module.css';

const limit = 60;

/** Which of these hold a substructure; null: that is no molecule. */
const match = async (smiles: readonly string[], smarts: string): Promise<(boolean | null)[]> => {
  const reply = await call('/v1/molecules/match', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ smiles, smarts }),
  });
  const { data } = (await reply.json()) as { data: { matches: boolean | null }[] };
  return data.map(({ matches }) => matches);
};

/** Molecules as cards, drawn by the server, those that hold a substructure picked out and coloured. */
export const Molecules = ({ batch, columns, where, sort }: { batch: string; columns: readonly Column[]; where: string; sort: string }) => {
  const smiles = smilesOf(columns);
  const numbers = properties(columns).slice(0, 4);
  const [smarts, setSmarts] = useState('');
  const rows = useInfiniteQuery({
    queryKey: ['results', batch, 'molecules', { where, sort }],
    queryFn: ({ pageParam }) => ask<Page>(batch, 'page', { where: where || undefined, sort: sort || undefined, offset: pageParam, limit }),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.has_more ? page.offset + page.data.length : undefined),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    enabled: smiles !== null,
  });
  const loaded = (rows.data?.pages ?? []).flatMap(({ data }) => data) as Row[];
  const texts = loaded.map((row) => textOf(row, smiles) ?? '');
  const found = useQuery({
    queryKey: ['results', batch, 'match', smarts, texts],
    queryFn: () => match(texts, smarts),
    enabled: smarts !== '' && texts.length > 0,
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
  if (smiles === null) return <Empty title="There are no molecules here">No column of this table holds SMILES.</Empty>;
  const shownRows = smarts === '' || !found.data ? loaded : loaded.filter((_, i) => found.data[i] === true);
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
          w={280}
          spellCheck={false}
        />
        <Button type="submit" variant="default">
          Find
        </Button>
        {smarts !== '' && (
          <span className="quiet num" role="status">
            {found.error ? found.error.message : `${count(shownRows.length)} of the ${plural(loaded.length, 'molecule')} loaded`}
          </span>
        )}
      </form>
      <Answer of={rows} what="The molecules">
        {({ pages }) => (
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
            {rows.hasNextPage && (
              <div>
                <Button variant="default" loading={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
                  Show more of {count(pages[0]!.total)}
                </Button>
              </div>
            )}
          </>
        )}
      </Answer>
    </>
  );
};
