import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { percent } from '../../lib/format.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { useCrumb } from '../../lib/crumb-names.ts';
import { Page } from '../../ui/page.tsx';
import { Answer, Broken, Waiting } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Config } from './config.tsx';
import { Events } from './events.tsx';
import { Header } from './header.tsx';
import { Output } from './output.tsx';
import { Overview } from './overview.tsx';
import { batchQuery, useLiveBatch, type Batch } from './queries.ts';
import { open, requestStates } from './states.ts';
import { Refused } from './refused.tsx';
import { Requests } from './requests.tsx';
import { nameOf, paceOf } from './words.ts';

const tabs = ['overview', 'requests', 'output', 'events', 'config'] as const;

const codec = address<{
  tab: (typeof tabs)[number];
  state: readonly string[];
  code: string;
  cause: string;
  custom_id: string;
  line: number | null;
}>({
  tab: param.choice(tabs, 'overview'),
  state: param.list<string>(requestStates),
  code: param.text(200),
  cause: param.text(2_000),
  custom_id: param.text(),
  line: param.whole(1, 1_000_000_000),
});

const Shown = ({ batch }: { batch: Batch }) => {
  const { values, set } = useAddress(codec);
  useLiveBatch(batch.id);
  useCrumb(`/batches/${batch.id}`, nameOf(batch));
  const { tab: _tab, line: _line, ...filter } = codec.format(values);
  const at = (tab: string) => ({
    tab: tab === 'overview' ? undefined : tab,
    line: undefined,
    view: undefined,
    state: undefined,
    code: undefined,
    cause: undefined,
    custom_id: undefined,
  });
  const { total } = batch.request_counts;
  const lead = open(batch.status) ? `${percent(paceOf(batch).done, total)} · ${nameOf(batch)}` : nameOf(batch);
  return (
    <Page title="Batches" lead={lead} heading={<Header batch={batch} />}>
      <Tabs
        label="Parts of the batch"
        on={values.tab}
        tabs={[
          { id: 'overview', label: 'Overview', search: at('overview') },
          { id: 'requests', label: 'Requests', count: total, search: at('requests') },
          { id: 'output', label: 'Output', search: at('output') },
          { id: 'events', label: 'Events', search: at('events') },
          { id: 'config', label: 'Configuration', search: at('config') },
        ]}
      />
      {values.tab === 'overview' && (
        <>
          {batch.status === 'failed' && <Refused batch={batch} />}
          <Overview batch={batch} />
        </>
      )}
      {values.tab === 'requests' && (
        <Requests
          batch={batch}
          filter={filter}
          line={values.line}
          setLine={(line) => set({ line }, { keep: true })}
          setFilter={({ state = '', code = '', cause = '', custom_id = '' }) =>
            set({ state: state === '' ? [] : state.split(','), code, cause, custom_id, line: null })
          }
        />
      )}
      {values.tab === 'output' && <Output batch={batch} />}
      {values.tab === 'events' && <Events batch={batch} />}
      {values.tab === 'config' && <Config batch={batch} />}
    </Page>
  );
};

const Details = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const batch = useQuery(batchQuery(id));
  if (batch.data === undefined)
    return (
      <Page title="Batches" lead="Batch" heading={<h1 className="hidden">Batch</h1>}>
        {batch.error ? <Broken error={batch.error} retry={() => void batch.refetch()} what="The batch" /> : <Waiting rows={12} />}
      </Page>
    );
  return (
    <Answer of={batch} what="The batch">
      {(data) => <Shown key={data.id} batch={data} />}
    </Answer>
  );
};

export default Details;
