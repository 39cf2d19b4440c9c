import { Button, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconMoodEmpty, IconRefresh } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { relative } from '../lib/format.ts';
import { Failure } from '../lib/api.ts';
import css from './states.module.css';

/** Nothing here: why, and what to do about it. */
export const Empty = ({
  title,
  children,
  icon,
  actions,
}: {
  title: string;
  children?: ReactNode;
  icon?: ReactNode;
  actions?: ReactNode;
}) => (
  <div className={css.state}>
    <span className={css.icon}>{icon ?? <IconMoodEmpty size={28} stroke={1.5} aria-hidden />}</span>
    <h2>{title}</h2>
    {children !== undefined && <div>{children}</div>}
    {actions !== undefined && <div className={css.actions}>{actions}</div>}
  </div>
);

/** What went wrong, in the server's words, with what support would ask for. */
export const Broken = ({ error, retry, what = 'This' }: { error: unknown; retry?: () => void; what?: string }) => {
  const failure = error instanceof Failure ? error : null;
  return (
    <div className={css.state} role="alert">
      <span className={css.bad}>
        <IconAlertTriangle size={28} stroke={1.5} aria-hidden />
      </span>
      <h2>{failure?.status === 404 ? 'Not found' : `${what} could not be shown`}</h2>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {failure?.requestId && <p className="mono">request {failure.requestId}</p>}
      {retry && failure?.status !== 404 && (
        <div className={css.actions}>
          <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={retry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
};

/** Rows that are on their way, as high as they will be. */
export const Waiting = ({ rows = 6, height = 32 }: { rows?: number; height?: number }) => (
  <div role="status" aria-label="Loading" style={{ padding: '0 12px' }}>
    {Array.from({ length: rows }, (_, i) => (
      <div key={i} style={{ height, display: 'flex', alignItems: 'center' }}>
        <Skeleton height={10} width={`${92 - ((i * 17) % 45)}%`} radius={4} />
      </div>
    ))}
  </div>
);

/** What is shown is old: how old. */
export const Stale = ({ since, retry }: { since: number; retry: () => void }) => {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 5_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={css.banner} role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <p>This is as of {relative(since / 1_000)}: the server did not answer since.</p>
      <Button variant="default" onClick={retry}>
        Try again
      </Button>
    </div>
  );
};

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

/** The states of a question: waiting, failed, answered; answered before and failing since. */
export const Answer = <T,>({
  of,
  what,
  waiting,
  children,
}: {
  of: Asked<T>;
  what: string;
  waiting?: ReactNode;
  children: (data: T) => ReactNode;
}) => {
  const again = () => void of.refetch();
  if (of.data === undefined) return of.error ? <Broken error={of.error} retry={again} what={what} /> : (waiting ?? <Waiting />);
  return (
    <>
      {of.error !== null && of.error !== undefined && <Stale since={of.dataUpdatedAt} retry={again} />}
      {children(of.data)}
    </>
  );
};
