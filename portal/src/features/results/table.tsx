import { Button } from '@mantine/core';
import { useInfiniteQuery, keepPreviousData } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { count } from '../../lib/format.ts';
import { DataTable, type Column as TableColumn } from '../../ui/data-table.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Molecule } from '../../ui/molecule.tsx';
import { isNumber, shown, smilesOf, textOf } from './columns.ts';
import { ask, Pending, type Column, type Page, type Row } from './queries.ts';

const limit = 200;

const widthOf = (column: Column): string => {
  if (column.role === 'line') return '76px';
  if (column.role === 'status') return '116px';
  return isNumber(column) ? 'minmax(96px, 1fr)' : 'minmax(130px, 2fr)';
};

const columnsOf = (batch: string, columns: readonly Column[]): TableColumn<Row>[] => {
  const smiles = smilesOf(columns);
  const drawing: TableColumn<Row>[] =
    smiles === null
      ? []
      : [
          {
            id: 'drawing',
            header: 'Structure',
            width: '128px',
            cell: (row) => {
              const text = textOf(row, smiles);
              return text === null ? null : <Molecule smiles={text} width={108} height={64} />;
            },
          },
        ];
  const cells = columns.map((column): TableColumn<Row> => ({
    id: column.name,
    header: column.unit === undefined ? column.name : `${column.name} (${column.unit})`,
    width: widthOf(column),
    right: isNumber(column),
    sort: column.name,
    cell: (row) => {
      const value = row[column.name];
      if (column.role === 'status' && typeof value === 'string') return <Status of={value} />;
      if (column.role === 'line')
        return (
          <Link to={`/batches/${batch}`} search={{ tab: 'requests', line: String(value) }} className="link">
            {shown(value)}
          </Link>
        );
      return <span title={value === null ? undefined : shown(value)}>{shown(value)}</span>;
    },
  }));
  return [...cells.slice(0, 2), ...drawing, ...cells.slice(2)];
};

interface ResultTableProps {
  batch: string;
  columns: readonly Column[];
  where: string;
  sort: string;
  sortBy: (sort: string) => void;
  clear: () => void;
}

/** The table of results, sorted and filtered where it is kept: any number of rows, of which those in view are here. */
export const ResultTable = ({ batch, columns, where, sort, sortBy, clear }: ResultTableProps) => {
  const rows = useInfiniteQuery({
    queryKey: ['results', batch, 'rows', { where, sort }],
    queryFn: ({ pageParam }) => ask<Page>(batch, 'page', { where: where || undefined, sort: sort || undefined, offset: pageParam, limit }),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.has_more ? page.offset + page.data.length : undefined),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    retry: (failures, error) => error instanceof Pending && failures < 60,
    retryDelay: 1_000,
  });
  return (
    <Answer of={rows} what="The table">
      {({ pages }) => {
        const loaded = pages.flatMap(({ data }) => data) as Row[];
        const total = pages[0]!.total;
        return (
          <DataTable
            label="Results"
            columns={columnsOf(batch, columns)}
            rows={loaded}
            total={total}
            rowHeight={smilesOf(columns) === null ? 32 : 72}
            idOf={(row) => String(row['line'])}
            sort={{ by: sort.replace(/^-/, ''), down: sort.startsWith('-') }}
            onSort={({ by, down }) => sortBy(`${down ? '-' : ''}${by}`)}
            dim={rows.isPlaceholderData}
            onEnd={() => void (rows.hasNextPage && !rows.isFetchingNextPage && rows.fetchNextPage())}
            foot={`${count(loaded.length)} of ${count(total)} rows`}
            empty={
              <Empty
                title="No row is like that"
                actions={
                  <Button variant="default" onClick={clear}>
                    Show all rows
                  </Button>
                }
              />
            }
          />
        );
      }}
    </Answer>
  );
};
