import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, bodyOf } from '../../lib/api.ts';
import type { Batch } from './queries.ts';
import { open } from './states.ts';

/** What the actions need of a batch, or of one of its models: that is a batch too. */
export type Actable = Pick<Batch, 'id' | 'status' | 'request_counts'> & { name: string };

/** Requests of it that have not ended, and those that a retry would run again. */
export const leftOf = ({ request_counts: { total, completed, failed, cancelled, expired } }: Actable): number =>
  total - completed - failed - cancelled - expired;
export const againOf = ({ status, request_counts: { failed, expired } }: Actable): number => (open(status) ? 0 : failed + expired);
export const cancellable = ({ status }: Actable): boolean => open(status) && status !== 'cancelling' && status !== 'finalizing';

export const useRetryWhole = () => {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (id: string) => bodyOf(api.POST('/v1/batches/{id}/retry', { params: { path: { id } }, body: {} })),
    onSuccess: ({ id }) => void navigate({ to: `/batches/${id}` }),
    onError: ({ message }) => notifications.show({ color: 'red', title: 'Nothing was retried', message }),
  });
};
