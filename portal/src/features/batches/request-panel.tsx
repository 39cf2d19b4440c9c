import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { notifications } from '@mantine/notifications';
import { IconArrowUpRight, IconCopy, IconRotateClockwise } from '@tabler/icons-react';
import { useState } from 'react';
import { api, bodyOf } from '../../lib/api.ts';
import { absolute, duration, none, shortId } from '../../lib/format.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { Answer, Waiting } from '../../ui/states.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { requestQuery, type RequestDetails } from './queries.ts';
import css from './requests.module.css';

/** That a request took another one's answer, and whose. */
export const DedupBadge = ({ dedup }: { dedup: RequestDetails['dedup'] }) => {
  if (dedup === null) return null;
  const from = { batch: 'same as another line', cache: 'answered before', semantic: 'similar to another' }[dedup.kind];
  const content = (
    <>
      <IconCopy size={12} aria-hidden />
      {from}
      {dedup.similarity !== undefined && ` (${dedup.similarity.toFixed(3)})`}
    </>
  );
  return dedup.original === null ? (
    <span className={css.badge}>{content}</span>
  ) : (
    <Link to={`/requests/${dedup.original}`} className={css.badge} title={`The original is ${dedup.original}`}>
      {content}
    </Link>
  );
};

const moveWords = {
  given: 'Given',
  escalated: 'Escalated',
  returned: 'Returned',
  lost: 'Interrupted',
  drained: 'Interrupted',
  larger: 'Moved',
};

const History = ({ request }: { request: RequestDetails }) => (
  <div className={css.list} tabIndex={0} role="region" aria-label="Attempts and moves">
    <ol>
      {request.history.map(({ number, kind, code, message, worker, started_at, duration_ms }) => (
        <li key={`a${number}`}>
          <b>Attempt {number}</b> <span className="mono">{code}</span> {kind} after {duration(duration_ms / 1_000)}
          {worker && ` on ${worker}`}, {absolute(started_at)}
          <div className="quiet">{message}</div>
        </li>
      ))}
      {request.moves.map(({ at, kind, pool, worker, reason }) => (
        <li key={`m${at}${kind}`}>
          <b>{moveWords[kind]}</b>
          {pool && ` to ${pool}`}
          {worker && ` (${worker})`}, {absolute(at)}
          <div className="quiet">{reason}</div>
        </li>
      ))}
      {request.history.length + request.moves.length === 0 && <li className="quiet">Answered at the first attempt.</li>}
    </ol>
  </div>
);

/** All of one request, in a panel of one height: input beside output, attempts, what can be done with it. */
export const RequestPanel = ({ id }: { id: string }) => {
  const asked = useQuery(requestQuery(id));
  const [part, setPart] = useState<'answer' | 'history'>('answer');
  const navigate = useNavigate();
  const retry = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/requests/{id}/retry', { params: { path: { id } } })),
    onSuccess: (batch) => void navigate({ to: `/batches/${batch.id}` }),
    onError: (error) => notifications.show({ color: 'red', title: 'The request was not retried', message: error.message }),
  });
  return (
    <Answer of={asked} what="The request" waiting={<Waiting rows={7} />}>
      {(request) => (
        <>
          <div className={css.bar}>
            <span className="mono quiet">{shortId(request.id)}</span>
            <CopyButton text={request.id} what="request id" />
            <DedupBadge dedup={request.dedup} />
            {request.escalated_at !== null && <span className={css.badge}>moved to dedicated {absolute(request.escalated_at)}</span>}
            {request.continued_by && (
              <Link to={`/requests/${request.continued_by}`} className={css.badge}>
                <IconArrowUpRight size={12} aria-hidden /> run again
              </Link>
            )}
            <span style={{ flex: 1 }} />
            <Segments
              label="What to show"
              on={part}
              choose={(id) => setPart(id === 'history' ? 'history' : 'answer')}
              segments={[
                { id: 'answer', label: 'Input and output' },
                { id: 'history', label: 'Attempts', count: request.history.length },
              ]}
            />
            {['failed', 'dead_lettered', 'expired', 'cancelled'].includes(request.state) && (
              <Button
                variant="default"
                leftSection={<IconRotateClockwise size={14} aria-hidden />}
                loading={retry.isPending}
                onClick={() => retry.mutate()}
              >
                Retry this
              </Button>
            )}
            <CopyAs call={{ method: 'GET', path: `/v1/requests/${request.id}`, sluice: ['request', 'get', request.id] }} />
          </div>
          <div className={css.parts}>
            <section className={css.part}>
              <h3>Input</h3>
              <Json value={request.input ?? 'The input file is gone.'} label="input" height="100%" />
            </section>
            <section className={css.part}>
              {part === 'history' ? (
                <>
                  <h3>Attempts</h3>
                  <History request={request} />
                </>
              ) : (
                <>
                  <h3>{request.error ? 'Error' : 'Output'}</h3>
                  <Json value={request.output ?? request.error ?? none} label={request.error ? 'error' : 'output'} height="100%" />
                </>
              )}
            </section>
          </div>
        </>
      )}
    </Answer>
  );
};
