import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { IconUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { bytes, none } from '../../lib/format.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Json } from '../../ui/json.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { History } from './history.tsx';
import { modelQuery, versionQuery, type Details } from './queries.ts';
import { Try } from './try.tsx';
import { UploadDialog } from './upload.tsx';
import { Versions } from './versions.tsx';
import { Vetting } from './vetting.tsx';
import css from './models.module.css';

const tabs = ['overview', 'try', 'versions', 'history'] as const;
const labels = { overview: 'Overview', try: 'Try', versions: 'Versions', history: 'Predictions' };
const codec = address<{ tab: (typeof tabs)[number]; version: string }>({ tab: param.choice(tabs, 'overview'), version: param.text(100) });

const Ports = ({ title, of }: { title: string; of: Details['inputs'] }) =>
  of === null || of.length === 0 ? null : (
    <Card title={title} flush>
      <table className={css.ports}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Shape</th>
            <th scope="col">Counts rows</th>
          </tr>
        </thead>
        <tbody>
          {of.map(({ name, type, shape, batch_axis: axis }) => (
            <tr key={name}>
              <td className="mono">{name}</td>
              <td>{type}</td>
              <td className="mono">{shape.map((size) => (size === '' ? '?' : size)).join(' × ') || 'scalar'}</td>
              <td>{axis === null || axis === undefined ? none : `dimension ${axis + 1}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );

const Overview = ({ model }: { model: Details }) => (
  <>
    <Card title="What it is">
      <Facts
        of={[
          [
            'Version',
            <span key="v" className="mono">
              {model.version}
            </span>,
          ],
          ['Runs by', model.executor],
          ['Answers at', model.endpoints.join(', ')],
          ['Aliases', model.aliases.map((alias) => `@${alias}`).join(' ') || none],
          ['In use', model.latest ?? none],
          ['Registered', model.declared ? 'by the operator' : <Moment key="c" at={model.created} />],
          ['By', model.owned_by],
          ['File', model.file ? `${model.file.filename ?? 'model'}, ${bytes(model.file.bytes)}` : none],
          ['SHA-256', model.file?.sha256 ?? none],
          ['Tags', model.tags.join(', ') || none],
        ]}
      />
      {model.reason !== null && model.status !== 'failed' && <p className="quiet">{model.reason}</p>}
    </Card>
    {model.card !== null && model.card !== '' && (
      <Card title="Card">
        <p className={css.card}>{model.card}</p>
      </Card>
    )}
    <Vetting model={model} />
    <Ports title="Inputs" of={model.inputs} />
    <Ports title="Outputs" of={model.outputs} />
    {Object.keys(model.options).length > 0 && (
      <Card title="Options">
        <Json value={model.options} label="options" />
      </Card>
    )}
  </>
);

/** A model, or one version of it: what it is, how it was vetted, and a way to ask it. */
const Model = () => {
  const { name } = useParams({ strict: false }) as { name: string };
  const { values } = useAddress(codec);
  const [uploading, setUploading] = useState(false);
  const newest = useQuery({ ...modelQuery(name), enabled: values.version === '' });
  const chosen = useQuery({ ...versionQuery(name, values.version), enabled: values.version !== '' });
  const model = values.version === '' ? newest : chosen;
  const reference = values.version === '' ? name : `${name}@${values.version}`;
  return (
    <Page
      title={reference}
      note={model.data && <Status of={model.data.status} chip />}
      fill={values.tab === 'history'}
      actions={
        <>
          <CopyAs
            call={{
              method: 'GET',
              path: `/v1/models/${encodeURIComponent(name)}${values.version === '' ? '' : `/versions/${values.version}`}`,
              sluice: ['model', 'get', reference],
            }}
          />
          {model.data && !model.data.declared && (
            <Button leftSection={<IconUpload size={14} aria-hidden />} onClick={() => setUploading(true)}>
              New version
            </Button>
          )}
        </>
      }
    >
      <div style={{ display: 'flex', alignItems: 'center', gap: 4, marginTop: -8 }}>
        <span className="mono quiet">{reference}</span>
        <CopyButton text={reference} what="reference" />
      </div>
      <Tabs
        label="Parts of the model"
        on={values.tab}
        tabs={tabs.map((id) => ({ id, label: labels[id], search: { tab: id === 'overview' ? undefined : id } }))}
      />
      <Answer of={model} what="The model">
        {(found) => (
          <>
            {values.tab === 'overview' && <Overview model={found} />}
            {values.tab === 'try' && <Try model={name} reference={reference} />}
            {values.tab === 'versions' && <Versions model={name} declared={found.declared} />}
            {values.tab === 'history' && <History model={name} />}
            {uploading && <UploadDialog model={name} newest={found.version} close={() => setUploading(false)} />}
          </>
        )}
      </Answer>
    </Page>
  );
};

export default Model;
