import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { api, bodyOf } from '../../lib/api.ts';
import { bytes, count, none, plural } from '../../lib/format.ts';
import { flags } from '../../lib/snippets.ts';
import { address, param, writeQuery } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Filters } from '../../ui/filters.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { useViews, ViewsMenu } from '../../ui/views.tsx';
import { moving, type Model } from './queries.ts';
import { UploadDialog } from './upload.tsx';

const codec = address<{ q: string; executor: string; tag: string }>({ q: param.text(), executor: param.text(40), tag: param.text(64) });

const columns: Column<Model>[] = [
  {
    id: 'name',
    header: 'Model',
    width: 'minmax(180px, 2fr)',
    cell: ({ name }) => (
      <Link to="/models/$name" params={{ name }} className="link" title={name}>
        {name}
      </Link>
    ),
  },
  {
    id: 'status',
    header: 'Newest version',
    width: '220px',
    cell: ({ version, status, reason }) => (
      <span style={{ display: 'inline-flex', gap: 8 }} title={reason ?? undefined}>
        <span className="mono">{version}</span>
        <Status of={status} />
      </span>
    ),
  },
  { id: 'latest', header: 'In use', width: '90px', cell: ({ latest }) => <span className="mono">{latest ?? none}</span> },
  { id: 'aliases', header: 'Aliases', width: 'minmax(90px, 1fr)', cell: ({ aliases }) => aliases.map((alias) => `@${alias}`).join(' ') },
  { id: 'executor', header: 'Runs by', width: '100px', cell: ({ executor }) => executor },
  { id: 'versions', header: 'Versions', width: '78px', right: true, cell: ({ versions }) => count(versions) },
  { id: 'size', header: 'Size', width: '80px', right: true, cell: ({ file }) => (file ? bytes(file.bytes) : none) },
  { id: 'tags', header: 'Tags', width: 'minmax(80px, 1fr)', cell: ({ tags }) => <span className="quiet">{tags.join(', ')}</span> },
  {
    id: 'created',
    header: 'Registered',
    width: '110px',
    right: true,
    cell: ({ created, declared }) => (declared ? <span className="quiet">declared</span> : <Moment at={created} />),
  },
];

/** The models there are, each as its newest version. */
const Models = () => {
  const { values, set } = useAddress(codec);
  const navigate = useNavigate();
  const views = useViews('models', codec.format(values));
  const [uploading, setUploading] = useState(false);
  const query = {
    limit: 1_000,
    ...(values.q !== '' && { q: values.q }),
    ...(values.executor !== '' && { executor: values.executor }),
    ...(values.tag !== '' && { tag: values.tag }),
  };
  const isFiltered = values.q !== '' || values.executor !== '' || values.tag !== '';
  const models = useQuery({
    queryKey: ['models', values],
    queryFn: () => bodyOf(api.GET('/v1/models', { params: { query } })),
    enabled: views.settled,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.data.some(moving) ? 1_500 : 30_000),
  });
  return (
    <Page
      title="Models"
      actions={
        <>
          <CopyAs
            call={{
              method: 'GET',
              path: `/v1/models${writeQuery(query)}`,
              // OpenAI's own list knows no filter.
              openai: isFiltered ? undefined : { python: 'models.list()', node: 'models.list()' },
              sluice: values.executor === '' ? ['model', 'list', ...flags({ search: values.q, tag: values.tag })] : undefined,
            }}
          />
          <Button leftSection={<IconUpload size={14} aria-hidden />} onClick={() => setUploading(true)}>
            Upload ONNX
          </Button>
        </>
      }
      fill
    >
      <Filters
        fields={[
          { name: 'q', label: 'Name', width: 220 },
          { name: 'executor', label: 'Runs by', hint: 'onnx, openai, …' },
          { name: 'tag', label: 'Tag' },
        ]}
        values={values}
        apply={set}
        lead={<ViewsMenu {...views} />}
      />
      <Answer of={models} what="The list of models">
        {({ data }) => {
          // Behind each model come its other versions that are ready: those are on its own page.
          const rows = data.filter(({ id, name }) => id === name);
          return (
            <DataTable
              label="Models"
              columns={columns}
              rows={rows}
              idOf={({ id }) => id}
              onOpen={({ name }) => void navigate({ to: '/models/$name', params: { name } })}
              dim={models.isPlaceholderData}
              foot={plural(rows.length, 'model')}
              empty={
                <Empty
                  title="No model is like that"
                  actions={
                    <Button variant="default" onClick={() => set({ q: '', executor: '', tag: '' })}>
                      Show all models
                    </Button>
                  }
                />
              }
            />
          );
        }}
      </Answer>
      {uploading && <UploadDialog close={() => setUploading(false)} />}
    </Page>
  );
};

export default Models;
