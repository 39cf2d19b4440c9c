import { Button, Modal } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconArrowLeft } from '@tabler/icons-react';
import { useState } from 'react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { bytes, count, none, plural, shortId } from '../../lib/format.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Pools } from './pools.tsx';

type Worker = Api<'Worker'>;

const codec = address<{ id: string }>({ id: param.text(100) });

/** What is heard of workers is five seconds old at most: their rows change with each heartbeat, which are no events. */
const every = 5_000;

const Loaded = ({ of: { loaded, loaded_others: others } }: { of: Worker }) => {
  if (loaded.length === 0 && others === 0) return <span className="quiet">nothing yet</span>;
  const words = [...loaded.map(({ model }) => model), ...(others > 0 ? [`${plural(others, 'other')} of other tenants`] : [])];
  return (
    <span title={words.join('\n')}>
      {words.slice(0, 2).join(', ')}
      {words.length > 2 && <span className="quiet"> and {words.length - 2} more</span>}
    </span>
  );
};

const rateOf = ({ loaded }: Worker): number | null => {
  const rates = loaded.flatMap(({ rate }) => (rate === null ? [] : [rate]));
  return rates.length === 0 ? null : Math.max(...rates);
};

const heldBy = ({ held_bytes: own, loaded }: Worker): number => loaded.reduce((sum, { held_bytes: held }) => sum + held, own ?? 0);

const columnsOf = (drain: (worker: Worker) => void): Column<Worker>[] => [
  {
    id: 'id',
    header: 'Worker',
    width: '146px',
    cell: ({ id }) => (
      <span className="mono" title={id}>
        {shortId(id)}
      </span>
    ),
  },
  {
    id: 'pool',
    header: 'Pool',
    width: '100px',
    cell: ({ pool, kind }) => (
      <span title={kind === 'spot' ? 'Spot: it may be taken away' : 'Dedicated: it stays'}>
        {pool}
        {pool !== kind && <span className="quiet"> {kind}</span>}
      </span>
    ),
  },
  { id: 'state', header: 'State', width: '92px', cell: ({ state }) => <Status of={state} /> },
  { id: 'host', header: 'Host', width: '110px', cell: ({ host, pid }) => <span className="mono">{`${host}:${pid}`}</span> },
  { id: 'loaded', header: 'In memory', width: 'minmax(110px, 1fr)', cell: (worker) => <Loaded of={worker} /> },
  {
    id: 'work',
    header: 'Working on',
    width: '130px',
    right: true,
    cell: ({ leases, requests }) =>
      leases === 0 ? <span className="quiet">idle</span> : `${count(requests)} in ${plural(leases, 'chunk')}`,
  },
  {
    id: 'rate',
    header: 'Requests/s',
    width: '88px',
    right: true,
    cell: (worker) => {
      const rate = rateOf(worker);
      return rate === null ? none : rate < 10 ? rate.toFixed(1) : count(rate);
    },
  },
  { id: 'memory', header: 'Memory', width: '76px', right: true, cell: (worker) => (heldBy(worker) > 0 ? bytes(heldBy(worker)) : none) },
  { id: 'since', header: 'Started', width: '90px', right: true, cell: ({ started_at: at }) => <Moment at={at} /> },
  { id: 'seen', header: 'Last heard', width: '88px', right: true, cell: ({ seen_at: at }) => <Moment at={at} /> },
  {
    id: 'acts',
    header: '',
    width: '80px',
    right: true,
    cell: (worker) =>
      worker.state === 'ready' ? (
        <Button variant="default" aria-label={`Drain ${worker.id}`} onClick={() => drain(worker)}>
          Drain
        </Button>
      ) : null,
  },
];

const DrainDialog = ({ worker, close }: { worker: Worker; close: () => void }) => {
  const queries = useQueryClient();
  const drain = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/workers/{id}/drain', { params: { path: { id: worker.id } } })),
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: ['workers'] });
    },
    onError: (error) => notifications.show({ color: 'red', title: 'The worker was not drained', message: error.message }),
  });
  return (
    <Modal opened onClose={close} title={`Drain ${shortId(worker.id)}?`}>
      <p style={{ marginTop: 0 }}>
        It takes nothing more, gives back what it has not started, finishes what runs and then ends. No attempt is charged for what goes
        back. Where its pool wants more workers than are left, another one takes its place.
      </p>
      <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
        <Button variant="default" onClick={close}>
          Keep it
        </Button>
        <Button data-autofocus loading={drain.isPending} onClick={() => drain.mutate()}>
          Drain
        </Button>
      </div>
    </Modal>
  );
};

/** What runs where: pools with what the scheduler wants of them, and each worker. */
const Workers = () => {
  const { values, set } = useAddress(codec);
  const workers = useQuery({
    queryKey: ['workers'],
    queryFn: () => bodyOf(api.GET('/v1/workers')),
    refetchInterval: every,
    placeholderData: keepPreviousData,
  });
  const pools = useQuery({ queryKey: ['pools'], queryFn: () => bodyOf(api.GET('/v1/pools')), refetchInterval: every });
  const [draining, setDraining] = useState<Worker | null>(null);
  const ready = workers.data?.data.filter(({ state }) => state === 'ready').length;
  return (
    <Page
      title="Workers"
      note={ready === undefined ? undefined : `${count(ready)} ready`}
      actions={<CopyAs call={{ method: 'GET', path: '/v1/workers', sluice: ['workers', 'list'] }} />}
      fill
    >
      <Answer of={pools} what="The pools" waiting={<div style={{ height: 118 }} />}>
        {({ data }) => <Pools pools={data} />}
      </Answer>
      {values.id !== '' && (
        <div>
          <Button variant="default" leftSection={<IconArrowLeft size={14} aria-hidden />} onClick={() => set({ id: '' })}>
            All workers
          </Button>
        </div>
      )}
      <Answer of={workers} what="The list of workers">
        {({ data }) => (
          <DataTable
            label="Workers"
            columns={columnsOf(setDraining)}
            rows={values.id === '' ? data : data.filter(({ id }) => id === values.id)}
            idOf={({ id }) => id}
            empty={
              values.id !== '' ? (
                <Empty title="This worker is gone">It has ended, or was not heard of for long.</Empty>
              ) : (
                <Empty title="No worker is running">
                  <p>Batches wait until one is. Start one beside the server:</p>
                  <p className="mono">sluice worker --pool dedicated</p>
                </Empty>
              )
            }
          />
        )}
      </Answer>
      {draining && <DrainDialog worker={draining} close={() => setDraining(null)} />}
    </Page>
  );
};

export default Workers;
