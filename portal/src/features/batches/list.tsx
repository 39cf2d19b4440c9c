import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';

type Batch = Api<'Batch'>;
const columns: Column<Batch>[] = [
  { id: 'name', header: 'Name', width: 'minmax(200px, 2fr)', cell: (batch) => batch.name ?? batch.id },
  { id: 'status', header: 'Status', width: '160px', cell: (batch) => <Status of={batch.status} /> },
];

const List = () => {
  const navigate = useNavigate();
  const batches = useQuery({ queryKey: ['batches'], queryFn: () => bodyOf(api.GET('/v1/batches', { params: { query: { limit: 100 } } })) });
  return (
    <Page title="Batches" fill>
      <Answer of={batches} what="The list of batches">
        {({ data }) => (
          <DataTable
            label="Batches"
            columns={columns}
            rows={data}
            idOf={(batch) => batch.id}
            onOpen={({ id }) => void navigate({ to: `/batches/${id}` })}
            empty={<Empty title="No batches yet" />}
          />
        )}
      </Answer>
    </Page>
  );
};

export default List;
