import { Button } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconPlus } from '@tabler/icons-react';
import { api, bodyOf } from '../../lib/api.ts';
import { count, plural } from '../../lib/format.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { stateOf } from '../../ui/batch-state.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Filters } from '../../ui/filters.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import { useLive } from '../../ui/use-live.ts';
import type { Screen } from './queries.ts';

const codec = address<{ user: string }>({ user: param.text(200) });

const residues = ({ proteins }: Screen): number => proteins.reduce((sum, each) => sum + each.residues * Math.max(1, each.id.length), 0);

const columns: Column<Screen>[] = [
  {
    id: 'name',
    header: 'Screen',
    width: 'minmax(160px, 2fr)',
    cell: ({ id, name }) => (
      <Link to={`/screens/${id}`} className="link cut" title={id}>
        {name ?? id}
      </Link>
    ),
  },
  { id: 'status', header: 'Status', width: '204px', cell: (screen) => <Status of={screen.status} {...stateOf(screen)} /> },
  {
    id: 'progress',
    header: 'Progress',
    width: 'minmax(110px, 1fr)',
    cell: ({ name, id, request_counts: { total, completed, failed, cancelled, expired } }) => (
      <Progress of={{ total, ok: completed, bad: failed, still: cancelled + expired }} label={`Progress of ${name ?? id}`} />
    ),
  },
  { id: 'ligands', header: 'Ligands', width: '84px', right: true, cell: ({ ligands }) => count(ligands) },
  { id: 'failed', header: 'Failed', width: '72px', right: true, cell: ({ request_counts: { failed } }) => count(failed) },
  { id: 'residues', header: 'Residues', width: '84px', right: true, cell: (screen) => count(residues(screen)) },
  { id: 'model', header: 'Model', width: 'minmax(110px, 1fr)', cell: ({ model }) => <span title={model}>{model}</span> },
  { id: 'user', header: 'By', width: '90px', cell: ({ created_by: user }) => user },
  { id: 'created', header: 'Created', width: '100px', right: true, cell: ({ created_at: at }) => <Moment at={at} /> },
];

/** Proteins against ligands: what was screened, and how far each is. */
const Screens = () => {
  const { values, set } = useAddress(codec);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const query = { limit: 50, ...(values.user !== '' && { user: values.user }) };
  const screens = useInfiniteQuery({
    queryKey: ['screens', values],
    queryFn: ({ pageParam }) =>
      bodyOf(api.GET('/v1/screens', { params: { query: { ...query, ...(pageParam !== '' && { after: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => (page.has_more ? (page.last_id ?? undefined) : undefined),
  });
  useLive(({ type, id }) => {
    const mine = screens.data?.pages.some(({ data }) => data.some((screen) => screen.id === id));
    if (mine && type !== 'batch.progress') void queries.invalidateQueries({ queryKey: ['screens'] });
  });
  const fresh = (
    <Button component={Link} to="/screens/new" leftSection={<IconPlus size={14} aria-hidden />}>
      New screen
    </Button>
  );
  return (
    <Page
      title="Screens"
      actions={
        <>
          <CopyAs call={{ method: 'GET', path: '/v1/screens?limit=50' }} />
          {fresh}
        </>
      }
      fill
    >
      <Filters fields={[{ name: 'user', label: 'Created by' }]} values={values} apply={set}>
        {values.user !== '' && (
          <Button variant="subtle" onClick={() => set({ user: '' })}>
            Show all
          </Button>
        )}
      </Filters>
      <Answer of={screens} what="The list of screens">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data);
          return (
            <DataTable
              label="Screens"
              columns={columns}
              rows={rows}
              idOf={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: `/screens/${id}` })}
              onEnd={() => void (screens.hasNextPage && !screens.isFetchingNextPage && screens.fetchNextPage())}
              foot={rows.length > 0 && `${plural(rows.length, 'screen')}${screens.hasNextPage ? ' so far' : ''}`}
              empty={
                values.user !== '' ? (
                  <Empty title="Nobody of that name has screened anything" />
                ) : (
                  <Empty title="No screens yet" actions={fresh}>
                    A screen predicts how a protein binds each of many ligands: affinity, confidence and structure.
                  </Empty>
                )
              }
            />
          );
        }}
      </Answer>
    </Page>
  );
};

export default Screens;
