import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconPlayerPlay } from '@tabler/icons-react';
import { api, bodyOf, call, type Api } from '../../lib/api.ts';
import { Card } from '../../ui/page.tsx';
import css from './dashboard.module.css';

/** Some that take a moment, and a few that fail, so that there is something to look at. */
const line = (i: number): string =>
  JSON.stringify({
    custom_id: `sample-${i}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model: 'echo',
      messages: [{ role: 'user', content: `Sample request ${i}` }],
      sluice_echo: i % 25 === 0 ? { status: 422 } : { delay_ms: 20 + ((i * 37) % 180) },
    },
  });

const runSample = async (): Promise<Api<'Batch'>> => {
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([Array.from({ length: 500 }, (_, i) => `${line(i + 1)}\n`).join('')]), 'sample.jsonl');
  const file = (await (await call('/v1/files', { method: 'POST', body: form })).json()) as Api<'OpenAIFile'>;
  return bodyOf(
    api.POST('/v1/batches', {
      body: { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '1h', name: 'Sample batch' },
    }),
  ) as Promise<Api<'Batch'>>;
};

/** Where nothing was ever run: what to do first, in two clicks. */
export const FirstRun = ({ started }: { started: (batch: string) => void }) => {
  const batches = useQuery({ queryKey: ['first-run'], queryFn: () => bodyOf(api.GET('/v1/batches', { params: { query: { limit: 1 } } })) });
  const run = useMutation({
    mutationFn: runSample,
    onSuccess: ({ id }) => started(id),
    onError: (error) => notifications.show({ color: 'red', title: 'The sample was not run', message: error.message }),
  });
  if (batches.data?.data.length !== 0) return null;
  return (
    <Card title="Begin here">
      <ol className={css.steps}>
        <li>
          <b>See it work.</b> 500 requests to the model that answers whatever it is asked; a few fail, as real ones do.
          <div>
            <Button leftSection={<IconPlayerPlay size={14} aria-hidden />} loading={run.isPending} onClick={() => run.mutate()}>
              Run sample batch
            </Button>
          </div>
        </li>
        <li>
          <b>Run a file of your own.</b> Lines of requests as OpenAI’s, or a table of molecules.
          <div>
            <Button component={Link} to="/batches/new" variant="default">
              New batch
            </Button>
          </div>
        </li>
        <li>
          <b>From a program.</b> Any client of OpenAI’s, pointed here:
          <code className="mono">OPENAI_BASE_URL={location.origin}/v1</code>
        </li>
      </ol>
    </Card>
  );
};
