import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, bodyOf } from '../../lib/api.ts';
import { count } from '../../lib/format.ts';
import { CancelDialog } from './cancel.tsx';
import { ModelList } from './models.tsx';
import type { Batch } from './queries.ts';
import { open } from './states.ts';

type Child = Batch['children'][number];

/** Of a batch over several models: each in a batch of its own, which can be looked at, cancelled and run again by itself. */
export const Children = ({ batch }: { batch: Batch }) => {
  const [cancelling, setCancelling] = useState<Child | null>(null);
  const navigate = useNavigate();
  const retry = useMutation({
    mutationFn: (id: string) => bodyOf(api.POST('/v1/batches/{id}/retry', { params: { path: { id } }, body: {} })),
    onSuccess: ({ id }) => void navigate({ to: `/batches/${id}` }),
    onError: ({ message }) => notifications.show({ color: 'red', title: 'Nothing was retried', message }),
  });
  const actionOf = (child: Child) => {
    const { id, model, status } = child;
    const again = child.request_counts.failed + child.request_counts.expired;
    if (open(status))
      return (
        <Button
          variant="default"
          aria-label={`Cancel ${model}`}
          disabled={status === 'cancelling' || status === 'finalizing'}
          onClick={() => setCancelling(child)}
        >
          Cancel
        </Button>
      );
    if (again === 0) return null;
    return (
      <Button
        variant="default"
        aria-label={`Retry ${count(again)} of ${model}`}
        loading={retry.isPending && retry.variables === id}
        onClick={() => retry.mutate(id)}
      >
        Retry {count(again)}
      </Button>
    );
  };
  return (
    <>
      <ModelList
        rows={batch.children.map((child) => ({
          model: child.model,
          batch: child,
          of: { total: child.request_counts.total, ok: child.request_counts.completed, bad: child.request_counts.failed },
          action: actionOf(child),
        }))}
      />
      {cancelling && <CancelDialog {...cancelOf(cancelling)} close={() => setCancelling(null)} />}
    </>
  );
};

const cancelOf = ({ id, model, request_counts: { total, completed, failed, cancelled, expired } }: Child) => ({
  id,
  name: model,
  left: total - completed - failed - cancelled - expired,
});
