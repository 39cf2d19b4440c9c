import { Button, Modal } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { IconArrowLeft, IconDownload, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { flags } from '../../lib/snippets.ts';
import { address, param } from '../../lib/url.ts';
import { bytes, count, plural, shortId } from '../../lib/format.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Upload } from './upload.tsx';

type File = Omit<Api<'OpenAIFile'>, 'status_details'>;

const kinds = ['all', 'batch', 'batch_output'] as const;
const codec = address<{ purpose: (typeof kinds)[number]; id: string }>({ purpose: param.choice(kinds, 'all'), id: param.text(100) });
const labels = { all: 'All', batch: 'Inputs', batch_output: 'Results' };
const limit = 200;

const columnsOf = (remove: (file: File) => void): Column<File>[] => [
  {
    id: 'name',
    header: 'Name',
    width: 'minmax(160px, 1fr)',
    cell: ({ filename, id }) => (
      <a className="link" href={`/v1/files/${id}/content`} download={filename} title={`Download ${filename}`}>
        {filename}
      </a>
    ),
  },
  {
    id: 'id',
    header: 'Id',
    width: '158px',
    cell: ({ id }) => (
      <>
        <span className="mono" title={id}>
          {shortId(id)}
        </span>
        <CopyButton text={id} what="file id" />
      </>
    ),
  },
  { id: 'purpose', header: 'For', width: '108px', cell: ({ purpose }) => purpose },
  {
    id: 'size',
    header: 'Size',
    width: '100px',
    right: true,
    cell: ({ bytes: size }) => <span title={`${count(size)} bytes`}>{bytes(size)}</span>,
  },
  {
    id: 'sha',
    header: 'SHA-256',
    width: '132px',
    cell: ({ sha256 }) => (
      <>
        <span className="mono" title={sha256}>
          {sha256.slice(0, 10)}…
        </span>
        <CopyButton text={sha256} what="digest" />
      </>
    ),
  },
  { id: 'by', header: 'By', width: '84px', cell: ({ created_by: user }) => user },
  { id: 'created', header: 'Created', width: '90px', right: true, cell: ({ created_at: at }) => <Moment at={at} /> },
  {
    id: 'expires',
    header: 'Expires',
    width: '90px',
    right: true,
    cell: ({ expires_at: at }) => (at === null ? <span className="quiet">never</span> : <Moment at={at} />),
  },
  {
    id: 'acts',
    header: '',
    width: '96px',
    right: true,
    cell: (file) => (
      <span style={{ display: 'inline-flex', gap: 4 }}>
        <Button
          component="a"
          variant="default"
          href={`/v1/files/${file.id}/content`}
          download={file.filename}
          aria-label={`Download ${file.filename}`}
          px={7}
        >
          <IconDownload size={14} aria-hidden />
        </Button>
        <Button variant="default" aria-label={`Delete ${file.filename}`} onClick={() => remove(file)} px={7}>
          <IconTrash size={14} aria-hidden />
        </Button>
      </span>
    ),
  },
];

const DeleteDialog = ({ file, close }: { file: File; close: () => void }) => {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => bodyOf(api.DELETE('/v1/files/{id}', { params: { path: { id: file.id } } })),
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: ['files'] });
    },
    onError: (error) => notifications.show({ color: 'red', title: 'The file was not deleted', message: error.message }),
  });
  return (
    <Modal opened onClose={close} title={`Delete ${file.filename}?`}>
      <p style={{ marginTop: 0 }}>
        Batches that were accepted with it go on and keep their results. {bytes(file.bytes)} become free; nobody can bring them back.
      </p>
      <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
        <Button variant="default" onClick={close}>
          Keep it
        </Button>
        <Button color="red" data-autofocus loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </Button>
      </div>
    </Modal>
  );
};

/** Inputs and results: what there is, how large, until when. */
const Files = () => {
  const { values, set } = useAddress(codec);
  const purpose = values.purpose === 'all' ? undefined : values.purpose;
  const files = useInfiniteQuery({
    queryKey: ['files', values],
    // Of one that a link names there is no more than one.
    queryFn: async ({ pageParam }): Promise<{ data: File[]; has_more: boolean; last_id: string | null }> => {
      if (values.id !== '')
        return {
          data: [await bodyOf(api.GET('/v1/files/{id}', { params: { path: { id: values.id } } }))],
          has_more: false,
          last_id: null,
        };
      return bodyOf(
        api.GET('/v1/files', { params: { query: { limit, order: 'desc', purpose, ...(pageParam !== '' && { after: pageParam }) } } }),
      );
    },
    initialPageParam: '',
    getNextPageParam: (page) => (page.has_more ? page.last_id : undefined),
    placeholderData: keepPreviousData,
  });
  const [removing, setRemoving] = useState<File | null>(null);
  return (
    <Page
      title="Files"
      actions={
        <>
          <CopyAs
            call={{
              method: 'GET',
              path: `/v1/files${purpose ? `?purpose=${purpose}` : ''}`,
              openai: {
                python: `files.list(${purpose ? `purpose="${purpose}"` : ''})`,
                node: `files.list(${purpose ? `{ purpose: '${purpose}' }` : ''})`,
              },
              sluice: ['file', 'list', ...flags({ purpose })],
            }}
          />
          <Upload />
        </>
      }
      fill
    >
      <Tabs
        label="Files"
        on={values.purpose}
        tabs={kinds.map((id) => ({ id, label: labels[id], search: { purpose: id === 'all' ? undefined : id, id: undefined } }))}
      />
      {values.id !== '' && (
        <div>
          <Button variant="default" leftSection={<IconArrowLeft size={14} aria-hidden />} onClick={() => set({ id: '' })}>
            All files
          </Button>
        </div>
      )}
      <Answer of={files} what="The list of files">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data);
          return (
            <DataTable
              label="Files"
              columns={columnsOf(setRemoving)}
              rows={rows}
              idOf={({ id }) => id}
              dim={files.isPlaceholderData}
              onEnd={() => void (files.hasNextPage && !files.isFetchingNextPage && files.fetchNextPage())}
              foot={rows.length > 0 && `${plural(rows.length, 'file')}${files.hasNextPage ? ' so far' : ''}`}
              empty={
                purpose === undefined ? (
                  <Empty title="No files yet">Upload one here, or begin with a new batch, which uploads its own.</Empty>
                ) : (
                  <Empty
                    title={purpose === 'batch' ? 'No inputs' : 'No results'}
                    actions={
                      <Button variant="default" onClick={() => set({ purpose: 'all' })}>
                        Show all files
                      </Button>
                    }
                  />
                )
              }
            />
          );
        }}
      </Answer>
      {removing && <DeleteDialog file={removing} close={() => setRemoving(null)} />}
    </Page>
  );
};

export default Files;
