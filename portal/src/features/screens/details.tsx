import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useCrumb } from '../../lib/crumb-names.ts';
import { count, plural } from '../../lib/format.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { stateOf } from '../../ui/batch-state.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Facts } from '../../ui/facts.tsx';
import { FileList } from '../../ui/files.tsx';
import { Json } from '../../ui/json.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Best, Causes, Statistics } from './best.tsx';
import { Ligands } from './ligands.tsx';
import { open, screenQuery, useLiveScreen, type Screen } from './queries.ts';
import { sorts, type Sort } from './words.ts';
import css from './screens.module.css';

const parts = ['ligands', 'best', 'files', 'settings'] as const;

const codec = address<{ tab: (typeof parts)[number]; line: number | null; sort: { by: Sort; down: boolean } }>({
  tab: param.choice(parts, 'ligands'),
  line: param.whole(1, 10_000_000),
  sort: param.sort(sorts, { by: 'line', down: false }),
});

const Files = ({ screen: { results, status } }: { screen: Screen }) => {
  if (results.status === 'failed') return <Empty title="Its files were not made">{results.error}</Empty>;
  if (results.artifacts.length === 0)
    return (
      <Empty title="No files yet">
        {open(status) ? 'Tables, lists of the best and indexes are made when the last ligand has ended.' : 'They are being made.'}
      </Empty>
    );
  return (
    <Card title="All ligands in one file">
      <FileList files={results.artifacts} />
    </Card>
  );
};

const Settings = ({ screen }: { screen: Screen }) => (
  <>
    <Card title="What was asked">
      <Facts
        of={[
          ['Model', screen.model],
          ['Affinity', screen.affinity ? 'predicted' : 'not asked for'],
          [
            'Protein',
            screen.proteins
              .map(
                ({ id, residues, msa }) =>
                  `${id.length > 0 ? `${id.join(', ')}: ` : ''}${plural(residues, 'residue')}${msa ? ', with its alignment' : ''}`,
              )
              .join('; '),
          ],
          ['Ligands', `${count(screen.ligands)}${screen.invalid > 0 ? `, ${count(screen.invalid)} known to be invalid` : ''}`],
          ['At the same time', screen.max_concurrent === null ? 'as many as there are workers for' : count(screen.max_concurrent)],
          ['By', screen.created_by],
        ]}
      />
    </Card>
    <Card title="Parameters">
      {Object.keys(screen.parameters).length === 0 ? (
        <p className={css.note}>None was given: each is the model's own. What a ligand was predicted with is in its panel.</p>
      ) : (
        <Json value={screen.parameters} label="parameters" />
      )}
    </Card>
    {screen.metadata && Object.keys(screen.metadata).length > 0 && (
      <Card title="Metadata">
        <Json value={screen.metadata} label="metadata" />
      </Card>
    )}
  </>
);

const Head = ({ screen }: { screen: Screen }) => {
  const { total, completed, failed, cancelled, expired } = screen.request_counts;
  return (
    <div className={css.meter}>
      <span className={css.bar}>
        <Progress of={{ total, ok: completed, bad: failed, still: cancelled + expired }} label="Progress of the screen" />
      </span>
      <span>
        <b className="num">{count(completed)}</b> of {plural(total, 'ligand')} predicted
        {failed > 0 && (
          <>
            , <b className="num">{count(failed)}</b> failed
          </>
        )}
      </span>
      <span className="quiet">
        {screen.ended_at === null ? (
          <>
            due <Moment at={screen.expires_at} />
          </>
        ) : (
          <>
            ended <Moment at={screen.ended_at} />
          </>
        )}
      </span>
      <Link className="link" to={`/batches/${screen.id}`}>
        Its batch: cancel, retry, events
      </Link>
    </div>
  );
};

/** A screen: how far it is, each of its ligands, and which bind best. */
const Details = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const { values, set } = useAddress(codec);
  const screen = useQuery(screenQuery(id));
  useLiveScreen(id);
  const name = screen.data?.name ?? `Screen ${id.slice(-8)}`;
  useCrumb(`/screens/${id}`, screen.data?.name);
  return (
    <Page
      title={name}
      note={screen.data && <Status of={screen.data.status} {...stateOf(screen.data)} chip />}
      actions={
        <>
          <Button component={Link} to="/screens/new" variant="default">
            New screen
          </Button>
          <CopyAs call={{ method: 'GET', path: `/v1/screens/${id}`, sluice: ['screen', 'get', id] }} />
        </>
      }
    >
      <Answer of={screen} what="The screen">
        {(found) => (
          <>
            <Head screen={found} />
            <Tabs
              label="Parts of the screen"
              on={values.tab}
              tabs={[
                { id: 'ligands', label: 'Ligands', count: found.ligands, search: { tab: undefined } },
                { id: 'best', label: 'Top performers', search: { tab: 'best' } },
                { id: 'files', label: 'Files', count: found.results.artifacts.length, search: { tab: 'files' } },
                { id: 'settings', label: 'Settings', search: { tab: 'settings' } },
              ]}
            />
            {values.tab === 'ligands' && (
              <Ligands
                screen={found}
                line={values.line}
                choose={(line) => set({ line }, { keep: true })}
                sort={values.sort}
                onSort={(sort) => set({ sort }, { keep: true })}
              />
            )}
            {values.tab === 'best' &&
              (found.summary === null ? (
                <Empty title="Nothing is ranked yet">
                  The two lists are made when the last ligand has ended; until then the table of ligands can be sorted.
                </Empty>
              ) : (
                <>
                  <Best id={id} summary={found.summary} />
                  <Statistics summary={found.summary} />
                  <Causes summary={found.summary} />
                </>
              ))}
            {values.tab === 'files' && <Files screen={found} />}
            {values.tab === 'settings' && <Settings screen={found} />}
          </>
        )}
      </Answer>
    </Page>
  );
};

export default Details;
