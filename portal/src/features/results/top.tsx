import { Checkbox, NumberInput, Select } from '@mantine/core';
import '@mantine/core/styles/NumberInput.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Segments } from '../../ui/tabs.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Molecule } from '../../ui/molecule.tsx';
import { properties, shown, smilesOf, textOf } from './columns.ts';
import { topQuery, type Column } from './queries.ts';
import css from './results.module.css';

/** The best rows: by one property, or by several that are weighed against each other; one of each scaffold on request. */
export const Best = ({ batch, columns, where }: { batch: string; columns: readonly Column[]; where: string }) => {
  const numbers = properties(columns);
  const smiles = smilesOf(columns);
  const [property, setProperty] = useState<string | null>(numbers[0]?.name ?? null);
  const [order, setOrder] = useState<'desc' | 'asc'>('desc');
  const [diverse, setDiverse] = useState(false);
  const [weights, setWeights] = useState<Record<string, number>>({});
  const [mode, setMode] = useState<'one' | 'several'>('one');
  const objective = numbers.flatMap(({ name }) => (weights[name] ? [`"${name.replaceAll('"', '""')}":${weights[name]}`] : [])).join(',');
  const query = {
    ...(mode === 'several' && objective !== '' ? { objective } : { property: property ?? undefined, order }),
    n: 24,
    ...(diverse && { diverse: 'scaffold' }),
    where: where || undefined,
  };
  const top = useQuery(topQuery(batch, query));
  if (numbers.length === 0) return <Empty title="There is nothing to rank by">No model computed a number.</Empty>;
  return (
    <>
      <div className={css.choices}>
        {numbers.length > 1 && (
          <Segments
            label="Ranked by"
            on={mode}
            choose={(id) => setMode(id as typeof mode)}
            segments={[
              { id: 'one', label: 'One property' },
              { id: 'several', label: 'Several, weighed' },
            ]}
          />
        )}
        {mode === 'one' ? (
          <>
            <Select
              size="xs"
              aria-label="Property"
              data={numbers.map(({ name }) => name)}
              value={property}
              onChange={setProperty}
              allowDeselect={false}
              w={220}
            />
            <Segments
              label="Order"
              on={order}
              choose={(id) => setOrder(id as typeof order)}
              segments={[
                { id: 'desc', label: 'Highest' },
                { id: 'asc', label: 'Lowest' },
              ]}
            />
          </>
        ) : (
          numbers.map(({ name }) => (
            <NumberInput
              key={name}
              size="xs"
              label={`Weight of ${name}`}
              value={weights[name] ?? 0}
              step={0.5}
              w={150}
              onChange={(value) => setWeights({ ...weights, [name]: Number(value) || 0 })}
            />
          ))
        )}
        {smiles !== null && (
          <Checkbox label="One of each scaffold" checked={diverse} onChange={({ currentTarget }) => setDiverse(currentTarget.checked)} />
        )}
      </div>
      <Answer of={top} what="The best rows">
        {({ data }) => (
          <ol className={css.cards}>
            {data.map(({ rank, value, row }) => {
              const text = textOf(row, smiles);
              return (
                <li key={rank} className={css.hit}>
                  {text !== null && <Molecule smiles={text} width={200} height={130} />}
                  <div className={css.hitHead}>
                    <span className="quiet num">{rank}</span>
                    <Link to={`/batches/${batch}`} search={{ tab: 'requests', line: String(row['line']) }} className="link cut">
                      {shown(row['custom_id'])}
                    </Link>
                    <b className="num">{shown(value)}</b>
                  </div>
                  <dl className={css.figures}>
                    {numbers.slice(0, 4).map(({ name }) => (
                      <div key={name}>
                        <dt className="cut">{name}</dt>
                        <dd>{shown(row[name])}</dd>
                      </div>
                    ))}
                  </dl>
                </li>
              );
            })}
          </ol>
        )}
      </Answer>
    </>
  );
};
