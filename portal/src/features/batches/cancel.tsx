import { Button, Modal } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '../../lib/api.ts';
import { plural } from '../../lib/format.ts';

interface CancelProps {
  id: string;
  name: string;
  /** Requests that have not ended. */
  left: number;
  close: () => void;
}

/** The two ways of stopping, told apart by what happens to requests that are under way. */
export const CancelDialog = ({ id, name, left, close }: CancelProps) => {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: (mode: 'stop' | 'abort') => bodyOf(api.POST('/v1/batches/{id}/cancel', { params: { path: { id } }, body: { mode } })),
    onSuccess: (changed) => {
      queries.setQueryData(['batch', id], changed);
      // The batch that it is one of shows it too.
      void queries.invalidateQueries({ queryKey: ['batch'] });
      close();
    },
    onError: ({ message }) => notifications.show({ color: 'red', title: 'The batch was not cancelled', message }),
  });
  return (
    <Modal opened onClose={close} title={`Cancel ${name}?`}>
      <p style={{ marginTop: 0 }}>
        {plural(left, 'request has', 'requests have')} not ended. What has ended keeps its results; the others go to the error file as
        cancelled.
      </p>
      <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end', flexWrap: 'wrap' }}>
        <Button variant="default" onClick={close}>
          Keep it running
        </Button>
        <Button variant="default" loading={cancel.isPending && cancel.variables === 'abort'} onClick={() => cancel.mutate('abort')}>
          Abort those under way too
        </Button>
        <Button color="red" data-autofocus loading={cancel.isPending && cancel.variables === 'stop'} onClick={() => cancel.mutate('stop')}>
          Stop dispatching
        </Button>
      </div>
    </Modal>
  );
};
