import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { count } from '../../lib/format.ts';
import { Histogram } from '../../ui/charts/histogram.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { condition, shown } from './columns.ts';
import { summaryQuery, type Summary } from './queries.ts';
import css from './results.module.css';

type Property = Summary['properties'][number];

const Extremes = ({ title, of, batch }: { title: string; of: Property['highest']; batch: string }) => (
  <div>
    <h3>{title}</h3>
    <ol className={css.extremes}>
      {of.map(({ line, custom_id: id, value }) => (
        <li key={line}>
          <Link to={`/batches/${batch}`} search={{ tab: 'requests', line: String(line) }} className="link cut">
            {id}
          </Link>
          <span className="num">{shown(value)}</span>
        </li>
      ))}
    </ol>
  </div>
);

/** Each property: how it is spread, and where its ends are; and what failed, by cause. */
export const Figures = ({ batch, where, narrow }: { batch: string; where: string; narrow: (condition: string) => void }) => {
  const summary = useQuery(summaryQuery(batch, where));
  return (
    <Answer of={summary} what="The summary">
      {({ properties, failures, counts, rows }) => (
        <>
          <p className="quiet num" style={{ margin: 0 }}>
            {count(rows)} rows: {count(counts.completed)} completed, {count(counts.failed)} failed, {count(counts.cancelled)} cancelled,{' '}
            {count(counts.expired)} expired
          </p>
          {properties.length === 0 && <Empty title="No model computed a number">The table and SQL show what there is.</Empty>}
          <div className={css.properties}>
            {properties.map((property) => (
              <Card key={property.name} title={property.unit ? `${property.name} (${property.unit})` : property.name}>
                <Histogram
                  label={`How ${property.name} is spread`}
                  edges={property.histogram.edges}
                  counts={property.histogram.counts}
                  choose={(from, to, last) =>
                    narrow(
                      [
                        from !== null && condition(property.name, '>=', from),
                        to !== null && condition(property.name, last ? '<=' : '<', to),
                      ]
                        .filter(Boolean)
                        .join(','),
                    )
                  }
                />
                <dl className={css.figures}>
                  {(
                    [
                      ['values', count(property.count)],
                      ['missing', count(property.missing)],
                      ['mean', shown(property.mean)],
                      ['sd', shown(property.sd)],
                      ['min', shown(property.min)],
                      ['25 %', shown(property.quantiles.p25)],
                      ['median', shown(property.quantiles.p50)],
                      ['75 %', shown(property.quantiles.p75)],
                      ['max', shown(property.max)],
                    ] as const
                  ).map(([name, value]) => (
                    <div key={name}>
                      <dt>{name}</dt>
                      <dd>{value}</dd>
                    </div>
                  ))}
                </dl>
                <div className={css.ends}>
                  <Extremes title="Highest" of={property.highest} batch={batch} />
                  <Extremes title="Lowest" of={property.lowest} batch={batch} />
                </div>
              </Card>
            ))}
          </div>
          {failures.length > 0 && (
            <Card title="Rows without an answer">
              <ul className={css.failures}>
                {failures.map(({ status, code, count: n, example }) => (
                  <li key={`${status} ${code}`}>
                    <b className="num">{count(n)}</b> {status} <span className="mono">{code}</span>{' '}
                    <span className="quiet">
                      {example.message}, as in{' '}
                      <Link
                        to={`/batches/${batch}`}
                        search={{ tab: 'requests', line: String(example.line) }}
                        className="link"
                        style={{ textDecoration: 'underline' }}
                      >
                        line {example.line}
                      </Link>
                    </span>
                  </li>
                ))}
              </ul>
            </Card>
          )}
        </>
      )}
    </Answer>
  );
};
