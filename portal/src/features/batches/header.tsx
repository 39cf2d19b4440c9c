import { Button, Menu, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconChevronDown, IconCopyPlus, IconDownload, IconPlayerStop, IconRotateClockwise, IconTable } from '@tabler/icons-react';
import { useState, type SubmitEvent } from 'react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { clockTime, count, duration, percent, shortId } from '../../lib/format.ts';
import { stateOf } from '../../ui/batch-state.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { useNow } from '../../ui/moment.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import { useKeys } from '../../ui/use-keys.ts';
import { CancelDialog } from './cancel.tsx';
import type { Batch } from './queries.ts';
import { open } from './states.ts';
import { endedAt, nameOf, paceOf, slaOf } from './words.ts';
import css from './details.module.css';

const said = (title: string) => (error: Error) => notifications.show({ color: 'red', title, message: error.message });

const Name = ({ batch }: { batch: Batch }) => {
  const [editing, setEditing] = useState(false);
  const queries = useQueryClient();
  const rename = useMutation({
    mutationFn: (name: string) => bodyOf(api.PATCH('/v1/batches/{id}', { params: { path: { id: batch.id } }, body: { name } })),
    onSuccess: (changed) => queries.setQueryData(['batch', batch.id], changed),
    onError: said('The name was not changed'),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get('name');
    setEditing(false);
    if (typeof name === 'string' && name.trim() !== '' && name !== batch.name) rename.mutate(name.trim());
  };
  if (!editing)
    return (
      <h1 title={nameOf(batch)}>
        <button type="button" className={css.name} onClick={() => setEditing(true)} title="Rename">
          {nameOf(batch)}
        </button>
      </h1>
    );
  return (
    <form onSubmit={submit}>
      <h1 className="hidden">{nameOf(batch)}</h1>
      <TextInput
        name="name"
        aria-label="Name of the batch"
        defaultValue={batch.name ?? ''}
        maxLength={200}
        autoFocus
        w={320}
        onBlur={() => setEditing(false)}
        onKeyDown={(event) => event.key === 'Escape' && setEditing(false)}
      />
    </form>
  );
};

/** Runs failed requests again, in a batch of its own (of several models, one each): the finished one stays as it is. Some of them: by an operation that can be watched. */
export const useRetry = (batch: Batch) => {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (only: { code?: string; cause?: string; model?: string }): Promise<string> => {
      if (Object.keys(only).length === 0) {
        const { id } = await bodyOf(api.POST('/v1/batches/{id}/retry', { params: { path: { id: batch.id } }, body: {} }));
        return `/batches/${id}`;
      }
      const body = { on: 'requests' as const, action: 'retry' as const, filter: { batch: batch.id, ...only } };
      const { id } = (await bodyOf(api.POST('/v1/bulk', { body }))) as Api<'BulkOperation'>;
      return `/bulk/${id}`;
    },
    onSuccess: (to) => void navigate({ to }),
    onError: said('Nothing was retried'),
  });
};

const Downloads = ({ batch }: { batch: Batch }) => {
  const running = open(batch.status);
  const file = (id: string | null) => `/v1/files/${id}/content`;
  const items: [string, string, string][] = [
    ...(batch.output_file_id || running
      ? [
          ['Results', running ? `/v1/batches/${batch.id}/output` : file(batch.output_file_id), `${batch.id}-output.jsonl`] as [
            string,
            string,
            string,
          ],
        ]
      : []),
    ...(batch.error_file_id || running
      ? [
          ['Errors', running ? `/v1/batches/${batch.id}/errors` : file(batch.error_file_id), `${batch.id}-errors.jsonl`] as [
            string,
            string,
            string,
          ],
        ]
      : []),
    ...(batch.errors_file_id
      ? [['Every validation error', file(batch.errors_file_id), `${batch.id}-validation.jsonl`] as [string, string, string]]
      : []),
    ['Input', file(batch.input_file_id), `${batch.id}-input.jsonl`],
  ];
  return (
    <Menu width={230}>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          rightSection={<IconChevronDown size={12} aria-hidden />}
        >
          Download
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {running && <Menu.Label>So far</Menu.Label>}
        {items.map(([label, href, name]) => (
          <Menu.Item key={label} component="a" href={href} download={name}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
};

/** How much of the input is checked. */
const Checked = ({ checked, total }: NonNullable<Batch['validation']>) => (
  <div className={css.meter}>
    {total !== null && (
      <span className={css.bar}>
        <Progress of={{ total, ok: 0, running: checked }} label="Checked" value={`${count(checked)} of ${count(total)} rows checked`} />
      </span>
    )}
    <span className={`${css.facts} num`} aria-live="off">
      {total !== null && (
        <span>
          <b>{percent(checked, total)}</b>
        </span>
      )}
      <span>
        <b>{count(checked)}</b> {total === null ? 'lines' : `of ${count(total)} rows`} checked
      </span>
    </span>
  </div>
);

export const Header = ({ batch }: { batch: Batch }) => {
  const [cancelling, setCancelling] = useState(false);
  const now = useNow(1);
  const retry = useRetry(batch);
  const { total, completed, failed, cancelled, expired } = batch.request_counts;
  const { done, perSecond } = paceOf(batch, now);
  const sla = slaOf(batch, now);
  const running = open(batch.status);
  const again = failed + expired;
  const cancellable = running && batch.status !== 'cancelling' && batch.status !== 'finalizing';
  const navigate = useNavigate();
  useKeys({
    c: cancellable ? () => setCancelling(true) : undefined,
    r: !running && again > 0 ? () => retry.mutate({}) : undefined,
    Escape: () => void navigate({ to: '/batches' }),
  });
  return (
    <header className={css.head}>
      <div className={css.line}>
        <Name batch={batch} />
        <Status of={batch.status} {...stateOf(batch)} chip />
        <span className="mono quiet">{shortId(batch.id)}</span>
        <CopyButton text={batch.id} what="id" />
        <span className={css.space} />
        {cancellable && (
          <Button variant="default" leftSection={<IconPlayerStop size={14} aria-hidden />} onClick={() => setCancelling(true)}>
            Cancel
          </Button>
        )}
        {!running && again > 0 && (
          <Button leftSection={<IconRotateClockwise size={14} aria-hidden />} loading={retry.isPending} onClick={() => retry.mutate({})}>
            Retry {count(again)} failed
          </Button>
        )}
        {!running && batch.status !== 'failed' && batch.endpoint === '/v1/predict' && (
          <Button
            variant="default"
            leftSection={<IconTable size={14} aria-hidden />}
            renderRoot={(props) => <Link to={`/batches/${batch.id}/results`} {...props} />}
          >
            Results
          </Button>
        )}
        <Button
          variant="default"
          leftSection={<IconCopyPlus size={14} aria-hidden />}
          renderRoot={(props) => <Link to="/batches/new" search={{ clone: batch.id } as never} {...props} />}
        >
          Clone
        </Button>
        <Downloads batch={batch} />
        <CopyAs
          call={{
            method: 'GET',
            path: `/v1/batches/${batch.id}`,
            openai: { python: `batches.retrieve("${batch.id}")`, node: `batches.retrieve('${batch.id}')` },
            sluice: ['batch', 'get', batch.id],
          }}
        />
      </div>
      {batch.validation ? (
        <Checked {...batch.validation} />
      ) : (
        <div className={css.meter}>
          <span className={css.bar}>
            <Progress of={{ total, ok: completed, bad: failed, still: cancelled + expired }} label="Progress" />
          </span>
          <span className={`${css.facts} num`} aria-live="off">
            <span>
              <b>{percent(done, total)}</b>
            </span>
            <span>
              <b>{count(completed)}</b> of {count(total)} succeeded
            </span>
            {failed > 0 && (
              <span>
                <b>{count(failed)}</b> failed
              </span>
            )}
            {cancelled > 0 && (
              <span>
                <b>{count(cancelled)}</b> cancelled
              </span>
            )}
            {expired > 0 && (
              <span>
                <b>{count(expired)}</b> expired
              </span>
            )}
            {perSecond !== null && <span>{perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(1)} a second</span>}
            {batch.forecast && running && (
              <span title="Even odds to nine in ten">
                done {clockTime(batch.forecast.p50)} to {clockTime(batch.forecast.p90)}
              </span>
            )}
            {!running && <span>took {duration((endedAt(batch) ?? now) - batch.created_at)}</span>}
            {sla && (
              <span title={sla.detail}>
                <Status
                  of={sla.tone === 'bad' ? 'breached' : sla.tone === 'warn' ? 'at_risk' : sla.tone === 'ok' ? 'met' : 'queued'}
                  word={running ? sla.word : `Deadline ${sla.word.toLowerCase()}`}
                  tone={sla.tone}
                />
              </span>
            )}
          </span>
        </div>
      )}
      {cancelling && <CancelDialog id={batch.id} name={nameOf(batch)} left={total - done} close={() => setCancelling(false)} />}
    </header>
  );
};
