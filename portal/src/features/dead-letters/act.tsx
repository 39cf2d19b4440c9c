import '@mantine/core/styles/NumberInput.css';
import { Button, Modal, NumberInput, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, bodyOf, call, type Api } from '../../lib/api.ts';
import { count, plural } from '../../lib/format.ts';
import { Answer } from '../../ui/states.tsx';

/** What is meant: these, or all that a filter matches, on the server. */
export type Chosen = { ids: string[] } | { filter: Record<string, string> };

/** More than so many are confirmed by typing their number. */
const many = 1_000;

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const previewOf = (chosen: Chosen) => ({
  queryKey: ['dead-letters', 'preview', chosen],
  queryFn: async () =>
    (await (await call('/v1/bulk?preview=true', json({ on: 'requests', action: 'redrive', ...chosen }))).json()) as Api<'BulkPreview'>,
  staleTime: 0,
});

/** Runs dead letters again as an operation that can be watched and stopped; what it will do is counted first. */
export const RedriveDialog = ({ chosen, close }: { chosen: Chosen; close: () => void }) => {
  const navigate = useNavigate();
  const [pace, setPace] = useState<number | string>('');
  const [typed, setTyped] = useState('');
  const preview = useQuery(previewOf(chosen));
  const redrive = useMutation({
    mutationFn: async (as_of: number) =>
      (await (
        await call(
          '/v1/dead_letters/redrive',
          json({ ...chosen, ...('filter' in chosen && { as_of }), ...(typeof pace === 'number' && { options: { per_second: pace } }) }),
        )
      ).json()) as Api<'BulkOperation'>,
    onSuccess: ({ id }) => void navigate({ to: `/bulk/${id}` }),
    onError: (error) => notifications.show({ color: 'red', title: 'Nothing was run again', message: error.message }),
  });
  return (
    <Modal opened onClose={close} title="Run dead letters again">
      <Answer of={preview} what="What this would do">
        {({ matched, eligible, skipped, as_of }) => (
          <>
            <p style={{ marginTop: 0 }}>
              {plural(matched, 'request is', 'requests are')} meant, <b className="num">{count(eligible)}</b> can be run again, in new
              batches that are linked to the old ones.
            </p>
            {skipped.length > 0 && (
              <ul>
                {skipped.map(({ reason, means, count: n }) => (
                  <li key={reason}>
                    {count(n)} left alone: {means}
                  </li>
                ))}
              </ul>
            )}
            <NumberInput
              label="Requests a second at most"
              description="Empty: as fast as the workers take them."
              value={pace}
              onChange={setPace}
              min={0.001}
              max={100_000}
              hideControls
            />
            {eligible > many && (
              <TextInput
                mt={8}
                label={`Type ${eligible} to confirm`}
                value={typed}
                onChange={({ currentTarget }) => setTyped(currentTarget.value)}
              />
            )}
            <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end', marginTop: 14 }}>
              <Button variant="default" onClick={close}>
                Close
              </Button>
              <Button
                disabled={eligible === 0 || (eligible > many && typed.replaceAll(/\D/g, '') !== String(eligible))}
                loading={redrive.isPending}
                onClick={() => redrive.mutate(as_of)}
              >
                Run {count(eligible)} again
              </Button>
            </div>
          </>
        )}
      </Answer>
    </Modal>
  );
};

/** Gives up on dead letters: they stay in the error file, and leave the list. */
export const DiscardDialog = ({ chosen, close }: { chosen: Chosen; close: () => void }) => {
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const discard = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/dead_letters/discard', { body: { ...chosen, reason: reason.trim() } })),
    onSuccess: async ({ discarded, skipped }) => {
      close();
      notifications.show({ message: `${plural(discarded, 'request')} discarded${skipped > 0 ? `, ${count(skipped)} left alone` : ''}.` });
      await queries.invalidateQueries({ queryKey: ['dead-letters'] });
    },
    onError: (error) => notifications.show({ color: 'red', title: 'Nothing was discarded', message: error.message }),
  });
  return (
    <Modal opened onClose={close} title="Discard dead letters">
      <p style={{ marginTop: 0 }}>
        {'ids' in chosen ? plural(chosen.ids.length, 'request') : 'All that the filter means'}: their lines stay in the error files, and
        nobody is asked to look at them again.
      </p>
      <TextInput
        label="Reason"
        description="For whoever asks later."
        required
        data-autofocus
        maxLength={1_000}
        value={reason}
        onChange={({ currentTarget }) => setReason(currentTarget.value)}
      />
      <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end', marginTop: 14 }}>
        <Button variant="default" onClick={close}>
          Close
        </Button>
        <Button color="red" disabled={reason.trim() === ''} loading={discard.isPending} onClick={() => discard.mutate()}>
          Discard
        </Button>
      </div>
    </Modal>
  );
};
