import { Button, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, bodyOf, call, type Api } from '../../lib/api.ts';
import { absolute, duration, none } from '../../lib/format.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { DiscardDialog, RedriveDialog } from './act.tsx';

type Details = Api<'DeadLetterDetails'>;

interface Line {
  custom_id?: string;
  url?: string;
  body?: unknown;
}

/**
 * The request with another body, as a batch of one line: what died stays as it was, and the new one names it in its
 * metadata.
 */
const runEdited = async (letter: Details, text: string): Promise<Api<'Batch'>> => {
  const body: unknown = JSON.parse(text);
  const { custom_id, url } = (letter.input ?? {}) as Line;
  const line = { custom_id: custom_id ?? letter.custom_id ?? 'edited', method: 'POST', url: url ?? letter.endpoint, body };
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([`${JSON.stringify(line)}\n`]), 'edited.jsonl');
  const file = (await (await call('/v1/files', { method: 'POST', body: form })).json()) as Api<'OpenAIFile'>;
  return bodyOf(
    api.POST('/v1/batches', {
      body: {
        input_file_id: file.id,
        endpoint: letter.endpoint as '/v1/predict',
        completion_window: '24h',
        name: `Edited: ${line.custom_id}`,
        metadata: { edited_from: letter.id },
      },
    }),
  ) as Promise<Api<'Batch'>>;
};

const Edit = ({ letter }: { letter: Details }) => {
  const navigate = useNavigate();
  const [text, setText] = useState(() => JSON.stringify((letter.input as Line | null)?.body ?? {}, null, 2));
  let wrong: string | null = null;
  try {
    JSON.parse(text);
  } catch (error) {
    wrong = (error as Error).message;
  }
  const run = useMutation({
    mutationFn: () => runEdited(letter, text),
    onSuccess: ({ id }) => void navigate({ to: `/batches/${id}` }),
    onError: (error) => notifications.show({ color: 'red', title: 'It was not run', message: error.message }),
  });
  return (
    <Card title="Edit and run">
      <Textarea
        label="Body"
        description="Runs as a batch of one line that names this request; the old one stays as it is."
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        rows={12}
        spellCheck={false}
        error={wrong}
        styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
      />
      <div style={{ marginTop: 8 }}>
        <Button disabled={wrong !== null} loading={run.isPending} onClick={() => run.mutate()}>
          Run this
        </Button>
      </div>
    </Card>
  );
};

/** One dead letter: what was sent, each attempt, what the error file says, and what to do about it. */
const DeadLetter = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const [acting, setActing] = useState<'redrive' | 'discard' | null>(null);
  const letter = useQuery({
    queryKey: ['dead-letters', id],
    queryFn: () => bodyOf(api.GET('/v1/dead_letters/{id}', { params: { path: { id } } })),
  });
  return (
    <Page
      title={letter.data?.custom_id ?? 'Dead letter'}
      note={letter.data && <span className="mono">{letter.data.code}</span>}
      actions={
        <>
          {letter.data?.status === 'open' && (
            <>
              <Button onClick={() => setActing('redrive')}>Run again</Button>
              <Button variant="default" onClick={() => setActing('discard')}>
                Discard
              </Button>
            </>
          )}
          <CopyAs call={{ method: 'GET', path: `/v1/dead_letters/${id}`, sluice: ['dlq', 'show', id] }} />
        </>
      }
    >
      <div style={{ display: 'flex', alignItems: 'center', gap: 4, marginTop: -8 }}>
        <span className="mono quiet">{id}</span>
        <CopyButton text={id} what="request id" />
      </div>
      <Answer of={letter} what="The dead letter">
        {(found) => (
          <>
            <Card title="Why it died">
              <p style={{ margin: '0 0 6px' }}>{found.message}</p>
              <p className="quiet" style={{ margin: 0 }}>
                {found.model} · line {found.line} of{' '}
                <Link
                  className="link"
                  style={{ textDecoration: 'underline' }}
                  to={`/batches/${found.batch_id}`}
                  search={{ tab: 'requests', line: String(found.line) }}
                >
                  its batch
                </Link>{' '}
                · by {found.user} · <Moment at={found.died_at} />
                {found.status === 'discarded' && ` · discarded by ${found.discarded_by ?? none}: ${found.discard_reason ?? none}`}
                {found.redriven_as && ' · run again'}
              </p>
            </Card>
            <Card title={`Attempts (${found.attempts})`}>
              <ol style={{ margin: 0, paddingLeft: 18, display: 'grid', gap: 6 }}>
                {found.history.map(({ number, kind, code, message, worker, started_at: at, duration_ms: ms }) => (
                  <li key={number}>
                    <b>Attempt {number}</b> <span className="mono">{code}</span> {kind} after {duration(ms / 1_000)}
                    {worker && ` on ${worker}`}, {absolute(at)}
                    <div className="quiet">{message}</div>
                  </li>
                ))}
              </ol>
            </Card>
            <Card title="Its line of the error file">
              <Json value={found.output ?? none} label="error line" />
            </Card>
            {found.input === null ? (
              <Card title="What was sent">The input file is gone, so that it cannot be run again.</Card>
            ) : (
              <Edit letter={found} key={found.id} />
            )}
          </>
        )}
      </Answer>
      {acting === 'redrive' && <RedriveDialog chosen={{ ids: [id] }} close={() => setActing(null)} />}
      {acting === 'discard' && <DiscardDialog chosen={{ ids: [id] }} close={() => setActing(null)} />}
    </Page>
  );
};

export default DeadLetter;
