import { Button } from '@mantine/core';
import { useState } from 'react';
import { count } from '../../lib/format.ts';
import { againOf, cancellable, leftOf, useRetryWhole, type Actable } from './acts.ts';
import { CancelDialog } from './cancel.tsx';
import { ModelList } from './models.tsx';
import type { Batch } from './queries.ts';
import { RowMenu } from './row-menu.tsx';
import { open } from './states.ts';

/** Of a batch over several models: each in a batch of its own, which can be looked at, cancelled and run again by itself. */
export const Children = ({ batch }: { batch: Batch }) => {
  const [cancelling, setCancelling] = useState<Actable | null>(null);
  const retry = useRetryWhole();
  const actionOf = (child: Actable) => {
    const { id, name, status } = child;
    const again = againOf(child);
    if (open(status))
      return (
        <Button variant="default" aria-label={`Cancel ${name}`} disabled={!cancellable(child)} onClick={() => setCancelling(child)}>
          Cancel
        </Button>
      );
    if (again === 0) return null;
    return (
      <Button
        variant="default"
        aria-label={`Retry ${count(again)} of ${name}`}
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
          action: (
            <>
              {actionOf({ ...child, name: child.model })}
              <RowMenu id={child.id} name={child.model} tabbable />
            </>
          ),
        }))}
      />
      {cancelling && <CancelDialog id={cancelling.id} name={cancelling.name} left={leftOf(cancelling)} close={() => setCancelling(null)} />}
    </>
  );
};
