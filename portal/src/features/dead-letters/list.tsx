import { Button } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconArrowLeft, IconDownload, IconMoodHappy } from '@tabler/icons-react';
import { useState } from 'react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { flags } from '../../lib/snippets.ts';
import { count, plural, shortId } from '../../lib/format.ts';
import { address, param, writeQuery } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Filters } from '../../ui/filters.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { useViews, ViewsMenu } from '../../ui/views.tsx';
import { DiscardDialog, RedriveDialog, type Chosen } from './act.tsx';

type Letter = Api<'DeadLetter'>;
type Cause = Api<'DeadLetterCause'>;

const statuses = ['open', 'redriven', 'discarded', 'all'] as const;
const codec = address<{ status: (typeof statuses)[number]; code: string; cause: string; batch: string; model: string; q: string }>({
  status: param.choice(statuses, 'open'),
  code: param.text(200),
  cause: param.text(2_000),
  batch: param.text(100),
  model: param.text(300),
  q: param.text(),
});
const labels = { open: 'Open', redriven: 'Run again', discarded: 'Discarded', all: 'All' };

const causeColumns: Column<Cause>[] = [
  { id: 'count', header: 'Requests', width: '90px', right: true, cell: ({ count: n }) => <b>{count(n)}</b> },
  { id: 'code', header: 'Code', width: '180px', cell: ({ code }) => <span className="mono">{code}</span> },
  { id: 'cause', header: 'Cause', width: 'minmax(260px, 4fr)', cell: ({ cause }) => <span title={cause}>{cause}</span> },
  { id: 'batches', header: 'Batches', width: '80px', right: true, cell: ({ batches }) => count(batches) },
  { id: 'first', header: 'First', width: '110px', right: true, cell: ({ first_seen: at }) => <Moment at={at} /> },
  { id: 'last', header: 'Last', width: '110px', right: true, cell: ({ last_seen: at }) => <Moment at={at} /> },
];

const letterColumns: Column<Letter>[] = [
  {
    id: 'id',
    header: 'Request',
    width: 'minmax(140px, 1fr)',
    cell: ({ id, custom_id: own }) => (
      <Link to={`/dead-letters/${id}`} className="link" title={id}>
        {own ?? shortId(id)}
      </Link>
    ),
  },
  {
    id: 'batch',
    header: 'Batch',
    width: '150px',
    cell: ({ batch_id: batch, line }) => (
      <Link to={`/batches/${batch}`} search={{ tab: 'requests', line: String(line) }} className="mono" title={batch}>
        {shortId(batch)}:{line}
      </Link>
    ),
  },
  { id: 'model', header: 'Model', width: 'minmax(120px, 1fr)', cell: ({ model }) => model },
  { id: 'code', header: 'Code', width: '150px', cell: ({ code }) => <span className="mono">{code}</span> },
  { id: 'message', header: 'Message', width: 'minmax(200px, 3fr)', cell: ({ message }) => <span title={message}>{message}</span> },
  { id: 'attempts', header: 'Attempts', width: '80px', right: true, cell: ({ attempts }) => attempts },
  { id: 'died', header: 'Died', width: '110px', right: true, cell: ({ died_at: at }) => <Moment at={at} /> },
];

/** What used up its attempts: first by cause, then one by one; run again at a pace, or given up on with a reason. */
const DeadLetters = () => {
  const { values, set } = useAddress(codec);
  const navigate = useNavigate();
  const views = useViews('dead-letters', codec.format(values));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [acting, setActing] = useState<'redrive' | 'discard' | null>(null);
  const filter = {
    ...(values.code !== '' && { code: values.code }),
    ...(values.cause !== '' && { cause: values.cause }),
    ...(values.batch !== '' && { batch: values.batch }),
    ...(values.model !== '' && { model: values.model }),
    ...(values.q !== '' && { q: values.q }),
  };
  const grouped = values.cause === '' && values.code === '';
  const causes = useQuery({
    queryKey: ['dead-letters', 'causes', values],
    queryFn: () =>
      bodyOf(
        api.GET('/v1/dead_letters', { params: { query: { ...filter, status: values.status, group: 'cause', limit: 100 } } }),
      ) as Promise<Api<'DeadLetterCauses'>>,
    enabled: grouped && views.settled,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const letters = useInfiniteQuery({
    queryKey: ['dead-letters', values],
    queryFn: ({ pageParam }) =>
      bodyOf(
        api.GET('/v1/dead_letters', {
          params: { query: { ...filter, status: values.status, limit: 100, ...(pageParam !== '' && { after: pageParam }) } },
        }),
      ) as Promise<{ data: Letter[]; has_more: boolean; last_id: string | null }>,
    initialPageParam: '',
    getNextPageParam: (page) => (page.has_more ? page.last_id : undefined),
    enabled: !grouped && views.settled,
    placeholderData: keepPreviousData,
  });
  const chosen: Chosen = selected.size > 0 ? { ids: [...selected] } : { filter };
  const back = () => {
    setSelected(new Set());
    set({ code: '', cause: '' });
  };
  const mayAct = values.status === 'open' && (selected.size > 0 || Object.keys(filter).length > 0);
  const none =
    values.status === 'open' && Object.keys(filter).length === 0 ? (
      <Empty title="No dead letters" icon={<IconMoodHappy size={28} stroke={1.5} aria-hidden />}>
        Every request that failed had attempts left, or failed for good reason. What uses up its attempts is listed here.
      </Empty>
    ) : (
      <Empty
        title="None is like that"
        actions={
          <Button variant="default" onClick={() => set({ status: 'open', code: '', cause: '', batch: '', model: '', q: '' })}>
            Show all open ones
          </Button>
        }
      />
    );
  return (
    <Page
      title="Dead letters"
      actions={
        <>
          {mayAct && (
            <>
              <Button onClick={() => setActing('redrive')}>
                {selected.size > 0 ? `Run ${count(selected.size)} again` : 'Run all of these again'}
              </Button>
              <Button variant="default" onClick={() => setActing('discard')}>
                {selected.size > 0 ? `Discard ${count(selected.size)}` : 'Discard all of these'}
              </Button>
            </>
          )}
          <Button
            component="a"
            variant="default"
            href={`/v1/dead_letters/download${writeQuery({ ...filter, status: values.status })}`}
            download
            leftSection={<IconDownload size={14} aria-hidden />}
          >
            Download
          </Button>
          <CopyAs
            call={{
              method: 'GET',
              path: `/v1/dead_letters${writeQuery({ ...filter, status: values.status, ...(grouped && { group: 'cause' }) })}`,
              sluice: [
                'dlq',
                'list',
                ...(grouped ? ['--causes'] : []),
                ...flags({
                  status: values.status,
                  batch: values.batch,
                  model: values.model,
                  code: values.code,
                  cause: values.cause,
                  search: values.q,
                }),
              ],
            }}
          />
        </>
      }
      fill
    >
      <Tabs
        label="Dead letters by what became of them"
        on={values.status}
        tabs={statuses.map((id) => ({ id, label: labels[id], search: { status: id === 'open' ? undefined : id } }))}
      />
      <Filters
        fields={[
          { name: 'q', label: 'Text in the message', width: 220 },
          { name: 'batch', label: 'Batch', hint: 'batch_…', width: 200 },
          { name: 'model', label: 'Model' },
        ]}
        values={values}
        apply={set}
        lead={
          <>
            <ViewsMenu {...views} />
            {!grouped && (
              <Button variant="default" leftSection={<IconArrowLeft size={14} aria-hidden />} onClick={back}>
                All causes
              </Button>
            )}
          </>
        }
      />
      {grouped ? (
        <Answer of={causes} what="The causes">
          {({ data, has_more: more }) => (
            <DataTable
              label="Causes"
              columns={causeColumns}
              rows={data}
              idOf={({ code, cause }) => `${code} ${cause}`}
              onOpen={({ code, cause }) => set({ code, cause })}
              onPeek={({ code, cause }) => set({ code, cause })}
              dim={causes.isPlaceholderData}
              foot={data.length > 0 && `${plural(data.length, 'cause')}${more ? ', the most frequent' : ''}. Open one to see its requests.`}
              empty={none}
            />
          )}
        </Answer>
      ) : (
        <Answer of={letters} what="The dead letters">
          {({ pages }) => {
            const rows = pages.flatMap(({ data }) => data);
            return (
              <DataTable
                label="Dead letters"
                columns={letterColumns}
                rows={rows}
                idOf={({ id }) => id}
                selected={selected}
                onSelect={setSelected}
                onOpen={({ id }) => void navigate({ to: `/dead-letters/${id}` })}
                dim={letters.isPlaceholderData}
                onEnd={() => void (letters.hasNextPage && !letters.isFetchingNextPage && letters.fetchNextPage())}
                foot={
                  rows.length > 0 &&
                  `${plural(rows.length, 'request')}${letters.hasNextPage ? ' so far' : ''}: ${values.cause || values.code}`
                }
                empty={none}
              />
            );
          }}
        </Answer>
      )}
      {acting === 'redrive' && <RedriveDialog chosen={chosen} close={() => setActing(null)} />}
      {acting === 'discard' && (
        <DiscardDialog
          chosen={chosen}
          close={() => {
            setActing(null);
            setSelected(new Set());
          }}
        />
      )}
    </Page>
  );
};

export default DeadLetters;
