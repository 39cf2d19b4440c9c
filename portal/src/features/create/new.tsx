import { Button, Select, Textarea, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { flags } from '../../lib/snippets.ts';
import { bytes, count, duration, percent, plural } from '../../lib/format.ts';
import { session } from '../../lib/session.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { FilePart } from './file-part.tsx';
import type { Rules } from './lines.ts';
import { Upload, type UploadState } from './upload.ts';
import { useFile } from './use-file.ts';
import '@mantine/core/styles/Pill.css';
import css from './create.module.css';

const codec = address<{ clone: string }>({ clone: param.text(100) });

interface Draft {
  name: string;
  window: string;
  priority: string;
  metadata: string;
  /** `model:name`, `route:target` or empty: as the lines say. */
  target: string;
  endpoint: string;
}

const blank: Draft = { name: '', window: '24h', priority: 'normal', metadata: '', target: '', endpoint: '/v1/chat/completions' };
const draftKey = 'sluice-draft';

const keptDraft = (): Draft => {
  try {
    return { ...blank, ...(JSON.parse(sessionStorage.getItem(draftKey) ?? '{}') as Partial<Draft>) };
  } catch {
    return blank;
  }
};

/** `key=value`, one a line. */
const metadataOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line): [string, string] => {
        const at = line.indexOf('=');
        return at < 0 ? ['', ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      })
      .filter(([key]) => key !== ''),
  );

const priorityName = (priority: number): string => ({ 1: 'normal', 5: 'medium', 10: 'high' })[priority] ?? 'normal';

/** Draft values that a batch had. */
const draftOf = (batch: Api<'Batch'>): Draft => ({
  ...blank,
  name: batch.name === null ? '' : `${batch.name}, again`,
  window: batch.completion_window,
  priority: priorityName(batch.priority),
  metadata: Object.entries(batch.metadata ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join('\n'),
  endpoint: batch.endpoint,
});

const windows = ['1h', '6h', '24h', '7d'];

const NewBatch = () => {
  const { values } = useAddress(codec);
  const navigate = useNavigate();
  const limits = session.current()?.limits;
  const cloned = useQuery({
    queryKey: ['batch', values.clone],
    queryFn: () => bodyOf(api.GET('/v1/batches/{id}', { params: { path: { id: values.clone } } })),
    enabled: values.clone !== '',
  });
  const models = useQuery({
    queryKey: ['models'],
    queryFn: () => bodyOf(api.GET('/v1/models', { params: { query: { limit: 1_000 } } })),
    staleTime: 30_000,
  });
  const routes = useQuery({ queryKey: ['route-options'], queryFn: () => bodyOf(api.GET('/v1/routes/options')), staleTime: 30_000 });
  const [draft, setDraft] = useState<Draft>(keptDraft);
  const [columns, setColumns] = useState<Record<string, string>>({});
  const [sending, setSending] = useState<UploadState | null>(null);
  const uploaded = useRef<{ file: File; id: string } | null>(null);
  const upload = useRef<{ file: File; upload: Upload } | null>(null);
  const leave = useRef<AbortController | null>(null);
  const [key] = useState(() => crypto.randomUUID());

  const rules = useMemo<Rules | null>(
    () =>
      limits === undefined || models.isPending
        ? null
        : {
            maxLines: limits.max_lines,
            maxLineBytes: limits.max_line_bytes,
            // Where they cannot be had the server says of a model that it is none.
            models: models.data === undefined ? null : [...new Set(models.data.data.map(({ id }) => id.split('@', 1)[0]!))],
          },
    [models.data, models.isPending, limits],
  );
  const { picked, take, correct, clear } = useFile(rules, setColumns);
  const change = useCallback((patch: Partial<Draft>) => setDraft((now) => ({ ...now, ...patch })), []);
  useEffect(() => sessionStorage.setItem(draftKey, JSON.stringify(draft)), [draft]);
  // Once: the batch may run on, and is asked for again, while its settings are being changed here.
  const filled = useRef('');
  useEffect(() => {
    if (!cloned.data || filled.current === cloned.data.id) return;
    filled.current = cloned.data.id;
    setDraft(draftOf(cloned.data));
  }, [cloned.data]);
  const busy = sending !== null;
  useEffect(() => {
    if (!busy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [busy]);

  const same = cloned.data !== undefined && picked === null;
  const isTable = picked !== null && picked.kind !== 'requests';
  const needsTarget = isTable || (picked?.checked?.unnamed ?? 0) > 0;
  const wrong =
    picked === null && !same
      ? 'Choose a file first.'
      : picked?.checking
        ? 'The file is still being checked.'
        : picked?.checked && picked.checked.badCount > 0
          ? 'Some lines are wrong.'
          : needsTarget && draft.target === ''
            ? 'Choose a model or a route.'
            : !/^[1-9]\d{0,5}[mhd]$/.test(draft.window)
              ? 'The window is a number and m, h or d.'
              : null;

  const fileId = async (): Promise<string> => {
    const file = picked!.file;
    if (uploaded.current?.file === file) return uploaded.current.id;
    if (upload.current?.file !== file) upload.current = { file, upload: new Upload(file, setSending) };
    leave.current = new AbortController();
    try {
      const { id } = await upload.current.upload.run(leave.current.signal);
      uploaded.current = { file, id };
      return id;
    } finally {
      setSending(null);
    }
  };
  const settings = () => ({
    completion_window: draft.window,
    ...(draft.name.trim() !== '' && { name: draft.name.trim() }),
    priority: draft.priority,
    metadata: metadataOf(draft.metadata),
    ...(draft.target.startsWith('model:') && { model: draft.target.slice(6) }),
    ...(draft.target.startsWith('route:') && { route: { target: draft.target.slice(6) } }),
    ...(isTable && Object.keys(columns).length > 0 && { columns }),
    ...(!isTable && { endpoint: picked?.checked?.url ?? draft.endpoint }),
  });
  const estimate = useMutation({
    mutationFn: async () => {
      const body = { input_file_id: same ? cloned.data.input_file_id : await fileId(), ...settings() };
      return (await bodyOf(api.POST('/v1/batches', { params: { query: { dry_run: true } }, body: body as never }))) as Api<'DryRun'>;
    },
    onError: (error) =>
      error.name !== 'AbortError' && notifications.show({ color: 'red', title: 'It could not be estimated', message: error.message }),
  });
  const create = useMutation({
    mutationFn: async () => {
      const headers = { 'idempotency-key': key };
      if (same) return bodyOf(api.POST('/v1/batches/{id}/clone', { params: { path: { id: values.clone } }, body: settings() as never }));
      const body = { input_file_id: await fileId(), ...settings() };
      return (await bodyOf(api.POST('/v1/batches', { body: body as never, headers }))) as Api<'Batch'>;
    },
    onSuccess: ({ id }) => {
      sessionStorage.removeItem(draftKey);
      void navigate({ to: `/batches/${id}` });
    },
    onError: (error) =>
      error.name !== 'AbortError' && notifications.show({ color: 'red', title: 'The batch was not created', message: error.message }),
  });

  const before = cloned.data && draftOf(cloned.data);
  const changes = before
    ? (['name', 'window', 'priority', 'metadata'] as const).filter((field) => field !== 'name' && before[field] !== draft[field])
    : [];
  const targets = [
    {
      group: 'Models',
      items: (models.data?.data ?? []).filter(({ id }) => !id.includes('@')).map(({ id }) => ({ value: `model:${id}`, label: id })),
    },
    { group: 'Routes', items: (routes.data?.targets ?? []).map(({ target }) => ({ value: `route:${target}`, label: target })) },
  ].filter(({ items }) => items.length > 0);
  const plan = estimate.data;
  const route = routes.data?.targets.find(({ target }) => draft.target === `route:${target}`);
  const body = { input_file_id: uploaded.current?.id ?? 'file-…', ...settings() };

  return (
    <Page title={values.clone === '' ? 'New batch' : 'Clone a batch'}>
      <form
        className={css.columns}
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong === null) create.mutate();
        }}
      >
        <div className={css.column}>
          <Card title="File">
            {same && (
              <p style={{ margin: '0 0 10px' }}>
                The file of <b>{cloned.data.name ?? cloned.data.id}</b> is used again, unless you give another one.
              </p>
            )}
            <FilePart picked={picked} take={take} clear={clear} correct={correct} columns={columns} setColumns={setColumns} />
          </Card>
          <Card title="Target">
            <div className={css.fields}>
              <Select
                label="Model or route"
                description={needsTarget ? 'Answers every row' : 'Answers lines that name no model'}
                placeholder={needsTarget ? 'choose one' : 'as the lines say'}
                data={targets}
                value={draft.target === '' ? null : draft.target}
                onChange={(value) => change({ target: value ?? '' })}
                clearable={!needsTarget}
                searchable
                comboboxProps={{ shadow: 'md' }}
              />
            </div>
            {route && (
              <p className="quiet" style={{ margin: '8px 0 0' }}>
                Runs {plural(route.models.length, 'model')} now: {route.models.join(', ')}
              </p>
            )}
            {picked?.checked && picked.checked.models.length > 0 && (
              <p className="quiet num" style={{ margin: '8px 0 0' }}>
                The lines ask {picked.checked.url} of{' '}
                {picked.checked.models.map(({ model, lines }) => `${model} (${count(lines)})`).join(', ')}.
              </p>
            )}
          </Card>
          <Card title="Details">
            <div className={css.fields}>
              <TextInput
                label="Name"
                value={draft.name}
                onChange={(event) => change({ name: event.currentTarget.value })}
                maxLength={200}
              />
              <TextInput
                label="Window"
                description="15m, 24h, 7d: how long it may take"
                value={draft.window}
                onChange={(event) => change({ window: event.currentTarget.value })}
              />
              <div>
                <div style={{ fontWeight: 500, marginBottom: 4 }}>Priority</div>
                <Segments
                  label="Priority"
                  on={draft.priority}
                  choose={(priority) => change({ priority })}
                  segments={['normal', 'medium', 'high'].map((id) => ({ id, label: id }))}
                />
              </div>
              <div>
                <div style={{ fontWeight: 500, marginBottom: 4 }}>Usual windows</div>
                <Segments
                  label="Usual windows"
                  on={draft.window}
                  choose={(window) => change({ window })}
                  segments={windows.map((id) => ({ id, label: id }))}
                />
              </div>
              <Textarea
                label="Metadata"
                description="key=value, one a line"
                value={draft.metadata}
                onChange={(event) => change({ metadata: event.currentTarget.value })}
                autosize={false}
                rows={3}
              />
            </div>
          </Card>
        </div>
        <div className={`${css.column} ${css.summary}`}>
          <Card title="Summary">
            <dl className={css.list}>
              <dt>Requests</dt>
              <dd className="num">
                {plan
                  ? count(plan.lines)
                  : picked?.checked
                    ? count(picked.checked.lines)
                    : same
                      ? count(cloned.data.request_counts.total)
                      : '–'}
              </dd>
              {picked && (
                <>
                  <dt>File</dt>
                  <dd className="num">{bytes(picked.file.size)}</dd>
                </>
              )}
              <dt>Window</dt>
              <dd>{draft.window}</dd>
              <dt>Priority</dt>
              <dd>{draft.priority}</dd>
              {changes.length > 0 && (
                <>
                  <dt>Changed</dt>
                  <dd>
                    {changes.map((field) => (
                      <div key={field}>
                        {field}: <s>{before![field] || 'none'}</s> {draft[field] || 'none'}
                      </div>
                    ))}
                  </dd>
                </>
              )}
              {plan && (
                <>
                  <dt>Expected</dt>
                  <dd>
                    {plan.estimated_seconds === null
                      ? 'not known'
                      : `${duration(plan.estimated_seconds)} on ${plural(plan.workers, 'worker')}`}
                  </dd>
                  <dt>Deadline</dt>
                  <dd>
                    <Status
                      of={plan.admitted === false ? 'at_risk' : 'on_track'}
                      word={plan.admitted === false ? 'could not be promised now' : plan.admitted ? 'can be promised' : 'not asked'}
                    />
                  </dd>
                </>
              )}
            </dl>
            {plan && !plan.valid && <p style={{ color: 'var(--bad)' }}>{plan.errors?.data[0]?.message}</p>}
            {sending && (
              <div style={{ marginBottom: 12 }} role="status">
                <div style={{ display: 'flex' }}>
                  <Progress of={{ total: sending.total, ok: sending.sent }} label="Upload" />
                </div>
                <div className="quiet num" style={{ marginTop: 4, display: 'flex', gap: 8, alignItems: 'center' }}>
                  {sending.trouble ?? `Uploading, ${percent(sending.sent, sending.total)} of ${bytes(sending.total)}`}
                  <Button variant="subtle" onClick={() => leave.current?.abort()}>
                    Pause
                  </Button>
                </div>
              </div>
            )}
            {wrong !== null && (
              <p className="quiet" style={{ margin: '0 0 10px' }}>
                {wrong}
              </p>
            )}
            <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}>
              <Button type="submit" disabled={wrong !== null} loading={create.isPending}>
                Create batch
              </Button>
              <Button variant="default" disabled={wrong !== null} loading={estimate.isPending} onClick={() => estimate.mutate()}>
                Estimate
              </Button>
              <CopyAs
                call={{
                  method: 'POST',
                  path: '/v1/batches',
                  body,
                  sluice: ['batch', 'run', picked?.file.name ?? 'FILE', ...flags({ window: draft.window })],
                }}
              />
            </div>
          </Card>
        </div>
      </form>
    </Page>
  );
};

export default NewBatch;
