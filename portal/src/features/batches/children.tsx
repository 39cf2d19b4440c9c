import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { api, bodyOf } from '../../lib/api.ts';
import { count } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import { Progress, Status } from '../../ui/status.tsx';
import type { Batch } from './queries.ts';
import { open } from './states.ts';
import css from './details.module.css';

/** Of a batch over several models: each in a batch of its own, which can be looked at, cancelled and run again by itself. */
export const Children = ({ batch }: { batch: Batch }) => {
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ['batch', batch.id] });
  const onError = (error: Error) => notifications.show({ color: 'red', title: 'Nothing was changed', message: error.message });
  const cancel = useMutation({
    mutationFn: (id: string) => bodyOf(api.POST('/v1/batches/{id}/cancel', { params: { path: { id } }, body: {} })),
    onSuccess: again,
    onError,
  });
  const navigate = useNavigate();
  const retry = useMutation({
    mutationFn: (id: string) => bodyOf(api.POST('/v1/batches/{id}/retry', { params: { path: { id } }, body: {} })),
    onSuccess: ({ id }) => void navigate({ to: `/batches/${id}` }),
    onError,
  });
  return (
    <Card title="Models" flush actions={<span className="quiet">a batch each</span>}>
      <div className={css.wide} tabIndex={0} role="region" aria-label="Progress by model">
        <table className={css.table}>
          <tbody>
            {batch.children.map(({ id, model, status, request_counts: { total, completed, failed } }) => (
              <tr key={id}>
                <td>
                  <Link to={`/batches/${id}`} className="mono link">
                    {model}
                  </Link>
                </td>
                <td>
                  <Status of={status} />
                </td>
                <td style={{ width: '30%', minWidth: 120 }}>
                  <span style={{ display: 'flex' }}>
                    <Progress of={{ total, ok: completed, bad: failed }} label={`Progress of ${model}`} />
                  </span>
                </td>
                <td className="num quiet">
                  {count(completed)} of {count(total)}
                  {failed > 0 && `, ${count(failed)} failed`}
                </td>
                <td style={{ textAlign: 'right' }}>
                  {open(status) && (
                    <Button variant="default" aria-label={`Cancel ${model}`} onClick={() => cancel.mutate(id)}>
                      Cancel
                    </Button>
                  )}
                  {!open(status) && failed > 0 && (
                    <Button variant="default" aria-label={`Retry ${count(failed)} of ${model}`} onClick={() => retry.mutate(id)}>
                      Retry {count(failed)}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
};
