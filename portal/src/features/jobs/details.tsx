import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { IconChevronDown, IconPlayerStop, IconRotateClockwise, IconTrash } from '@tabler/icons-react';
import { api, bodyOf, call } from '../../lib/api.ts';
import { absolute, duration, none } from '../../lib/format.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { Facts } from '../../ui/facts.tsx';
import { FileList } from '../../ui/files.tsx';
import { Json } from '../../ui/json.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { open, type Job } from './words.ts';
import css from './details.module.css';

const every = 1_000;

const said = (title: string) => (error: Error) => notifications.show({ color: 'red', title, message: error.message });

const About = ({ job }: { job: Job }) => (
  <Facts
    of={(
      [
        ['Model', job.model],
        ['Endpoint', job.endpoint],
        ['Submitted', <Moment key="c" at={job.created_at} />],
        ['Started', <Moment key="s" at={job.started_at} />],
        ['Ended', <Moment key="e" at={job.ended_at} />],
        ['Queued for', job.queue_time_ms === null ? none : duration(job.queue_time_ms / 1_000)],
        ['Ran for', job.inference_time_ms === null ? none : duration(job.inference_time_ms / 1_000)],
        ['Deadline', <Moment key="d" at={job.deadline} />],
        ['Priority', job.priority],
        ['Attempts', job.max_attempts === null ? job.attempts : `${job.attempts} of ${job.max_attempts}`],
        ['Worker', job.worker ?? none],
        ['By', job.user],
        ['Request', job.request_id ?? none],
        [
          'Runs again',
          job.retry_of && (
            <Link key="r" className="link mono" to={`/jobs/${job.retry_of}`}>
              {job.retry_of}
            </Link>
          ),
        ],
      ] as const
    ).filter(([, value]) => value !== null && value !== '')}
  />
);

const Result = ({ job }: { job: Job }) => {
  const done = job.status === 'completed';
  const result = useQuery({
    queryKey: ['job', job.id, 'result'],
    queryFn: async () => (await (await call(`/v1/jobs/${job.id}/result`)).json()) as unknown,
    enabled: done,
    staleTime: Infinity,
  });
  if (!done) return null;
  return (
    <Card title="Answer">
      <Answer of={result} what="The answer">
        {(value) => <Json value={value} label="answer" />}
      </Answer>
    </Card>
  );
};

const Files = ({ job }: { job: Job }) => {
  const files = useQuery({
    queryKey: ['job', job.id, 'artifacts'],
    queryFn: () => bodyOf(api.GET('/v1/jobs/{id}/artifacts', { params: { path: { id: job.id } } })),
    enabled: !open(job.status),
  });
  if (!files.data || files.data.data.length === 0) return null;
  return (
    <Card title="Files it left">
      <FileList
        files={files.data.data.map((file) => ({
          ...file,
          url: `/v1/jobs/${job.id}/artifacts/${file.name.split('/').map(encodeURIComponent).join('/')}`,
        }))}
      />
    </Card>
  );
};

const Trouble = ({ job: { error, history } }: { job: Job }) => (
  <>
    {error && (
      <Card title="Why it failed">
        <p className={css.error}>
          <span className="mono">{error.code}</span> {error.message}
        </p>
        {error.traceback !== null && <Json value={error.traceback} label="traceback" />}
      </Card>
    )}
    {history.length > 0 && (
      <Card title="Attempts that failed">
        <ol className={css.attempts}>
          {history.map(({ number, kind, code, message, worker, started_at: at, duration_ms: ms }) => (
            <li key={number}>
              <b>Attempt {number}</b> <span className="mono">{code}</span> {kind} after {duration(ms / 1_000)}
              {worker && ` on ${worker}`}, {absolute(at)}
              <div className="quiet">{message}</div>
            </li>
          ))}
        </ol>
      </Card>
    )}
  </>
);

const Acts = ({ job }: { job: Job }) => {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const path = { params: { path: { id: job.id } } };
  const cancel = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/jobs/{id}/cancel', path)),
    onSuccess: (changed) => queries.setQueryData(['job', job.id], changed),
    onError: said('The job was not cancelled'),
  });
  const retry = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/jobs/{id}/retry', path)),
    onSuccess: ({ id }) => void navigate({ to: `/jobs/${id}` }),
    onError: said('The job was not run again'),
  });
  const remove = useMutation({
    mutationFn: () => bodyOf(api.DELETE('/v1/jobs/{id}', path)),
    onSuccess: () => void navigate({ to: '/jobs' }),
    onError: said('The job was not deleted'),
  });
  return (
    <>
      {open(job.status) ? (
        <Button
          variant="default"
          leftSection={<IconPlayerStop size={14} aria-hidden />}
          disabled={job.cancel_requested}
          loading={cancel.isPending}
          onClick={() => cancel.mutate()}
        >
          Cancel
        </Button>
      ) : (
        <>
          <Button
            variant="default"
            leftSection={<IconRotateClockwise size={14} aria-hidden />}
            loading={retry.isPending}
            onClick={() => retry.mutate()}
          >
            Run again
          </Button>
          <Menu>
            <Menu.Target>
              <Button variant="default" rightSection={<IconChevronDown size={12} aria-hidden />}>
                More
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconTrash size={14} aria-hidden />} onClick={() => remove.mutate()}>
                Delete the job and its answer
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </>
      )}
      <CopyAs call={{ method: 'GET', path: `/v1/jobs/${job.id}`, sluice: ['job', 'get', job.id] }} />
    </>
  );
};

/** One job: where it is, how long it took, what came of it and why it did not. */
const Details = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const job = useQuery({
    queryKey: ['job', id],
    queryFn: () => bodyOf(api.GET('/v1/jobs/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data === undefined || open(state.data.status) ? every : false),
  });
  return (
    <Page
      title={`Job ${id.slice(-8)}`}
      note={job.data && <Status of={job.data.status} chip />}
      actions={job.data && <Acts job={job.data} />}
    >
      <div className={css.id}>
        <span className="mono quiet">{id}</span>
        <CopyButton text={id} what="job id" />
      </div>
      <Answer of={job} what="The job">
        {(found) => (
          <>
            <Card title="Where it stands">
              <About job={found} />
            </Card>
            <Trouble job={found} />
            <Result job={found} />
            <Files job={found} />
            {found.metadata && Object.keys(found.metadata).length > 0 && (
              <Card title="Metadata">
                <Json value={found.metadata} label="metadata" />
              </Card>
            )}
          </>
        )}
      </Answer>
    </Page>
  );
};

export default Details;
