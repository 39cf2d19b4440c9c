import { Button, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { call, type Api } from '../../lib/api.ts';
import { plural } from '../../lib/format.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { shown } from './columns.ts';
import css from './results.module.css';

const query = async (batch: string, sql: string): Promise<Api<'QueriedResults'>> =>
  (await (
    await call(`/v1/batches/${batch}/results/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql }),
    })
  ).json()) as Api<'QueriedResults'>;

/** One `select` over the table, in a process that has nothing else. */
export const Sql = ({ batch }: { batch: string }) => {
  const [text, setText] = useState('select status, count(*) as n from results group by all order by n desc');
  const run = useMutation({ mutationFn: (sql: string) => query(batch, sql) });
  return (
    <>
      <form
        style={{ display: 'grid', gap: 8 }}
        onSubmit={(event) => {
          event.preventDefault();
          run.mutate(text);
        }}
      >
        <Textarea
          label="SQL"
          description="One select over the table results, in DuckDB’s SQL. Ctrl Enter runs it."
          value={text}
          rows={5}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run.mutate(text);
          }}
        />
        <div style={{ display: 'flex', gap: 8 }}>
          <Button type="submit" leftSection={<IconPlayerPlay size={14} aria-hidden />} loading={run.isPending}>
            Run
          </Button>
          <CopyAs
            call={{
              method: 'POST',
              path: `/v1/batches/${batch}/results/query`,
              body: { sql: text },
              sluice: ['batch', 'query', batch, text],
            }}
          />
        </div>
      </form>
      {run.error && (
        <p role="alert" style={{ margin: 0, color: 'var(--bad)', whiteSpace: 'pre-wrap' }}>
          {run.error.message}
        </p>
      )}
      {run.data && (
        <div className={css.answer} tabIndex={0} role="region" aria-label="Answer">
          <table>
            <caption className="quiet">
              {plural(run.data.rows.length, 'row')}
              {run.data.truncated && ', and there are more'}
            </caption>
            <thead>
              <tr>
                {run.data.columns.map(({ name, type }) => (
                  <th key={name} scope="col" title={type}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {run.data.rows.slice(0, 500).map((row, i) => (
                // The rows of an answer have no names.
                // oxlint-disable-next-line react/no-array-index-key
                <tr key={i}>
                  {row.map((value, j) => (
                    // oxlint-disable-next-line react/no-array-index-key
                    <td key={j} className={typeof value === 'number' ? 'num' : undefined}>
                      {shown(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
};
