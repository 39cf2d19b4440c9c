import { Button } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { duration, none, plural } from '../../lib/format.ts';
import { writeQuery } from '../../lib/url.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Answer, Empty } from '../../ui/states.tsx';

type Prediction = Api<'PredictionRecord'>;

const ms = (value: number | null): string => (value === null ? none : duration(value / 1_000));

const columns: Column<Prediction>[] = [
  { id: 'at', header: 'When', width: '110px', cell: ({ created_at: at }) => <Moment at={at} /> },
  { id: 'user', header: 'By', width: 'minmax(90px, 1fr)', cell: ({ user }) => user },
  {
    id: 'version',
    header: 'Version',
    width: '90px',
    cell: ({ model }) => <span className="mono">{model.slice(model.lastIndexOf('@') + 1)}</span>,
  },
  {
    id: 'status',
    header: 'Answer',
    width: 'minmax(140px, 2fr)',
    cell: ({ status_code: status, error }) => (error ? <span title={error.message}>{`${status} ${error.code}`}</span> : status),
  },
  { id: 'cache', header: 'Kept', width: '80px', cell: ({ cache }) => cache ?? none },
  { id: 'queue', header: 'Queued', width: '80px', right: true, cell: ({ queue_ms: time }) => ms(time) },
  { id: 'compute', header: 'Computed', width: '80px', right: true, cell: ({ compute_ms: time }) => ms(time) },
  { id: 'total', header: 'In all', width: '80px', right: true, cell: ({ total_ms: time }) => ms(time) },
];

/** Predictions of this model that were made at once: by whom, how long they took, and as a file. */
export const History = ({ model }: { model: string }) => {
  const records = useInfiniteQuery({
    queryKey: ['model', model, 'predictions'],
    queryFn: ({ pageParam }) =>
      bodyOf(api.GET('/v1/predictions', { params: { query: { model, limit: 100, ...(pageParam !== '' && { after: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => (page.has_more ? page.last_id : undefined),
    placeholderData: keepPreviousData,
  });
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 10, minHeight: 420, flex: 1 }}>
      <div style={{ display: 'flex', gap: 8 }}>
        {(['csv', 'jsonl'] as const).map((format) => (
          <Button
            key={format}
            component="a"
            variant="default"
            href={`/v1/predictions/export${writeQuery({ model, format })}`}
            download
            leftSection={<IconDownload size={14} aria-hidden />}
          >
            {format.toUpperCase()}
          </Button>
        ))}
      </div>
      <Answer of={records} what="The predictions">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data);
          return (
            <DataTable
              label="Predictions"
              columns={columns}
              rows={rows}
              idOf={({ id }) => id}
              rowHeight={32}
              onEnd={() => void (records.hasNextPage && !records.isFetchingNextPage && records.fetchNextPage())}
              foot={rows.length > 0 && `${plural(rows.length, 'prediction')}${records.hasNextPage ? ' so far' : ''}`}
              empty={<Empty title="Nothing was asked at once">Batches and jobs have lists of their own.</Empty>}
            />
          );
        }}
      </Answer>
    </div>
  );
};
