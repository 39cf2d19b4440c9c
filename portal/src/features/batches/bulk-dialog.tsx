import { Button, Modal, NumberInput, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { count, plural, shortId } from '../../lib/format.ts';
import { Segments } from '../../ui/tabs.tsx';
import { Answer, Waiting } from '../../ui/states.tsx';
import { bulkSelection, type Selection } from './selection.ts';

export type Action = 'cancel' | 'retry' | 'priority' | 'deadline';

const verbs: Record<Action, { title: string; button: string; done: string }> = {
  cancel: { title: 'Cancel batches', button: 'Cancel', done: 'Cancelling' },
  retry: { title: 'Retry what failed', button: 'Retry', done: 'Retrying' },
  priority: { title: 'Set the priority', button: 'Change', done: 'Changing the priority of' },
  deadline: { title: 'Set the deadline', button: 'Change', done: 'Changing the deadline of' },
};

/** Above this a slip costs too much: how many is typed. */
const typedAbove = 1_000;

type Options = Api<'BulkOperation'>['options'];

const Preview = ({ preview: { matched, eligible, skipped, sample } }: { preview: Api<'BulkPreview'> }) => (
  <div>
    <p style={{ margin: '0 0 6px' }} className="num">
      <b>{count(eligible)}</b> of {plural(matched, 'batch', 'batches')} {eligible === 1 ? 'is' : 'are'} meant.
    </p>
    {skipped.length > 0 && (
      <ul style={{ margin: '0 0 6px', paddingLeft: 18 }} className="quiet num">
        {skipped.map(({ reason, means, count: n }) => (
          <li key={reason}>
            {count(n)} left alone: {means}
          </li>
        ))}
      </ul>
    )}
    {sample.length > 0 && (
      <p className="quiet mono" style={{ margin: 0 }}>
        {sample.slice(0, 5).map(shortId).join('  ')}
      </p>
    )}
  </div>
);

interface DialogProps {
  action: Action;
  selection: Selection;
  close: () => void;
  /** The operation has been created. */
  ran: () => void;
}

/** What an action would do, before it does it: how many, what is left alone and why; then one operation on the server. */
export const BulkDialog = ({ action, selection, close, ran }: DialogProps) => {
  const [mode, setMode] = useState<'stop' | 'abort'>('stop');
  const [priority, setPriority] = useState<'normal' | 'medium' | 'high'>('high');
  const [window_, setWindow] = useState('24h');
  const [pace, setPace] = useState<number | string>('');
  const [typed, setTyped] = useState('');
  const [key] = useState(() => crypto.randomUUID());
  const navigate = useNavigate();
  const verb = verbs[action];
  const options: Options = {
    ...(action === 'cancel' && { mode }),
    ...(action === 'priority' && { priority }),
    ...(action === 'deadline' && { completion_window: window_ }),
    ...(typeof pace === 'number' && { per_second: pace }),
  };
  const preview = useQuery({
    queryKey: ['bulk-preview', action, key],
    queryFn: async () => {
      const chosen = await bulkSelection(selection);
      const body = {
        on: 'batches' as const,
        action,
        ...chosen,
        ...(action === 'priority' && { options: { priority } }),
        ...(action === 'deadline' && { options: { completion_window: window_ } }),
      };
      return { chosen, preview: await bodyOf(api.POST('/v1/bulk/preview', { body: body as never })) };
    },
    staleTime: Infinity,
    gcTime: 0,
  });
  const run = useMutation({
    mutationFn: async () => {
      const { chosen, preview: seen } = preview.data!;
      const body = { on: 'batches', action, ...chosen, as_of: seen.as_of, options };
      // The same key: pressed twice, it is one operation.
      return (await bodyOf(api.POST('/v1/bulk', { body: body as never, headers: { 'idempotency-key': key } }))) as Api<'BulkOperation'>;
    },
    onSuccess: ({ id }) => {
      const n = preview.data!.preview.eligible;
      notifications.show({
        title: `${verb.done} ${plural(n, 'batch', 'batches')}`,
        message: (
          <Link to={`/bulk/${id}`} className="link">
            See how it goes
          </Link>
        ),
      });
      ran();
      close();
      if (n > 50) void navigate({ to: `/bulk/${id}` });
    },
    onError: (error) => notifications.show({ color: 'red', title: 'Nothing was done', message: error.message }),
  });
  const eligible = preview.data?.preview.eligible ?? 0;
  const mustType = eligible > typedAbove;
  const ready = eligible > 0 && (!mustType || typed.replaceAll(/\D/g, '') === String(eligible));
  return (
    <Modal opened onClose={close} title={verb.title} size={520}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) run.mutate();
        }}
        style={{ display: 'flex', flexDirection: 'column', gap: 14 }}
      >
        <Answer of={preview} what="The preview" waiting={<Waiting rows={3} />}>
          {({ preview: seen }) => <Preview preview={seen} />}
        </Answer>
        {action === 'cancel' && (
          <Segments
            label="What to do with requests under way"
            on={mode}
            choose={(id) => setMode(id === 'abort' ? 'abort' : 'stop')}
            segments={[
              { id: 'stop', label: 'Let those under way finish' },
              { id: 'abort', label: 'Abort them too' },
            ]}
          />
        )}
        {action === 'priority' && (
          <Segments
            label="Priority"
            on={priority}
            choose={(id) => setPriority(id as typeof priority)}
            segments={['normal', 'medium', 'high'].map((id) => ({ id, label: id }))}
          />
        )}
        {action === 'deadline' && (
          <TextInput
            label="Window, counted from the creation of each"
            value={window_}
            onChange={(event) => setWindow(event.currentTarget.value)}
            placeholder="24h"
          />
        )}
        {eligible > 10 && (
          <NumberInput
            label="Batches a second, at most"
            placeholder="as fast as it goes"
            value={pace}
            onChange={setPace}
            min={0.1}
            hideControls
          />
        )}
        {mustType && (
          <TextInput
            label={`Type ${count(eligible)} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            inputMode="numeric"
            autoComplete="off"
          />
        )}
        <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8 }}>
          <Button variant="default" onClick={close}>
            Leave them
          </Button>
          <Button type="submit" color={action === 'cancel' ? 'red' : 'accent'} disabled={!ready} loading={run.isPending}>
            {verb.button} {count(eligible)}
          </Button>
        </div>
      </form>
    </Modal>
  );
};
