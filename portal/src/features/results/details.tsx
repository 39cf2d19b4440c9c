import { Button, Menu, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { IconChevronDown, IconDownload } from '@tabler/icons-react';
import { useCrumb } from '../../lib/crumb-names.ts';
import { api, bodyOf } from '../../lib/api.ts';
import { flags } from '../../lib/snippets.ts';
import { count } from '../../lib/format.ts';
import { address, param, writeQuery } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { smilesOf } from './columns.ts';
import { Molecules } from './molecules.tsx';
import { tableQuery } from './queries.ts';
import { Scatter } from './scatter.tsx';
import { Sql } from './sql.tsx';
import { Figures } from './summary.tsx';
import { ResultTable } from './table.tsx';
import { Best } from './top.tsx';

const views = ['table', 'figures', 'best', 'molecules', 'scatter', 'sql'] as const;
const labels = { table: 'Table', figures: 'Figures', best: 'Top hits', molecules: 'Molecules', scatter: 'Scatter', sql: 'SQL' };
const codec = address<{ view: (typeof views)[number]; where: string; sort: string; smarts: string }>({
  view: param.choice(views, 'table'),
  where: param.text(10_000),
  sort: param.text(1_000),
  smarts: param.text(1_000),
});

const formats = { csv: 'CSV', parquet: 'Parquet', jsonl: 'JSON lines', tsv: 'TSV', sdf: 'SDF' } as const;

/** What of the table is shown, as downloads take it. */
interface Choice extends Record<string, string> {
  where: string;
  smarts: string;
  sort: string;
}

const Download = ({ batch, choice, molecules }: { batch: string; choice: Choice; molecules: boolean }) => (
  <Menu width={180}>
    <Menu.Target>
      <Button
        variant="default"
        leftSection={<IconDownload size={14} aria-hidden />}
        rightSection={<IconChevronDown size={12} aria-hidden />}
      >
        Download
      </Button>
    </Menu.Target>
    <Menu.Dropdown>
      {(Object.keys(formats) as (keyof typeof formats)[])
        .filter((format) => format !== 'sdf' || molecules)
        .map((format) => (
          <Menu.Item key={format} component="a" href={`/v1/batches/${batch}/results${writeQuery({ format, ...choice })}`} download>
            {formats[format]}
          </Menu.Item>
        ))}
    </Menu.Dropdown>
  </Menu>
);

/** What came of a batch, as a table: sorted, filtered and drawn by the server, one row per line of the input. */
const Results = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const { values, set } = useAddress(codec);
  const navigate = useNavigate();
  const batch = useQuery({ queryKey: ['batch', id], queryFn: () => bodyOf(api.GET('/v1/batches/{id}', { params: { path: { id } } })) });
  const table = useQuery({
    ...tableQuery(id),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data && ['queued', 'building'].includes(state.data.state) ? 1_000 : false),
  });
  // A table that nobody has asked for yet is made when its first page is.
  const columns = useQuery({
    queryKey: ['results', id, 'columns'],
    queryFn: () => bodyOf(api.GET('/v1/batches/{id}/results/page', { params: { path: { id }, query: { limit: 1, wait: 30 } } })),
    enabled: table.data !== undefined && !['failed', 'expired'].includes(table.data.state),
    staleTime: Infinity,
  });
  const open = (line: number) => void navigate({ to: `/batches/${id}`, search: { tab: 'requests', line: String(line) } });
  const narrow = (condition: string) => set({ where: [values.where, condition].filter(Boolean).join(','), view: 'table' });
  const name = batch.data?.name ?? id;
  useCrumb(`/batches/${id}`, batch.data?.name);
  // Other views show molecules without it too.
  const choice: Choice = { where: values.where, smarts: values.view === 'molecules' ? values.smarts : '', sort: values.sort };
  return (
    <Page
      title={`Results of ${name}`}
      note={table.data?.rows === null || table.data === undefined ? undefined : `${count(table.data.rows)} rows`}
      fill={values.view === 'table'}
      actions={
        <>
          <Download
            batch={id}
            choice={choice}
            molecules={columns.data !== undefined && 'columns' in columns.data && smilesOf(columns.data.columns) !== null}
          />
          <CopyAs
            call={{
              method: 'GET',
              path: `/v1/batches/${id}/results${writeQuery({ format: 'csv', ...choice })}`,
              sluice: ['batch', 'results', id, ...flags({ format: 'csv', ...choice, out: '-' })],
            }}
          />
        </>
      }
    >
      <Tabs
        label="Views of the results"
        on={values.view}
        tabs={views.map((view) => ({ id: view, label: labels[view], search: { view: view === 'table' ? undefined : view } }))}
      />
      {values.view !== 'sql' && (
        <form
          style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}
          onSubmit={(event) => {
            event.preventDefault();
            const where = new FormData(event.currentTarget).get('where');
            set({ where: typeof where === 'string' ? where.trim() : '' });
          }}
        >
          <TextInput
            key={values.where}
            name="where"
            size="xs"
            aria-label="Which rows"
            placeholder="logS>-2,status=completed"
            defaultValue={values.where}
            style={{ flex: '1 1 260px', maxWidth: 560 }}
            spellCheck={false}
          />
          <Button type="submit" variant="default">
            Filter
          </Button>
          {values.where !== '' && (
            <Button variant="subtle" onClick={() => set({ where: '' })}>
              All rows
            </Button>
          )}
        </form>
      )}
      {table.data?.state === 'failed' || table.data?.state === 'expired' ? (
        <Empty title={table.data.state === 'failed' ? 'The table could not be made' : 'The table is no more'}>{table.data.reason}</Empty>
      ) : (
        <Answer of={columns} what="The results">
          {(found) => {
            if (!('columns' in found)) return <Empty title="The table is being made">Ask again in a moment.</Empty>;
            const shared = { batch: id, columns: found.columns, where: values.where };
            switch (values.view) {
              case 'table':
                return <ResultTable {...shared} sort={values.sort} sortBy={(sort) => set({ sort })} clear={() => set({ where: '' })} />;
              case 'figures':
                return <Figures batch={id} where={values.where} narrow={narrow} />;
              case 'best':
                return <Best {...shared} />;
              case 'molecules':
                return <Molecules {...shared} sort={values.sort} smarts={values.smarts} setSmarts={(smarts) => set({ smarts })} />;
              case 'scatter':
                return <Scatter {...shared} open={open} />;
              case 'sql':
                return <Sql batch={id} />;
            }
          }}
        </Answer>
      )}
    </Page>
  );
};

export default Results;
