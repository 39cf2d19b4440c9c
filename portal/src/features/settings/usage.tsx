import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '../../lib/api.ts';
import { Card } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { roomOf, useInWords, type Use } from './words.ts';
import css from './settings.module.css';

const kinds = [
  ['batches', 'Open batches', 'number'],
  ['queued_requests', 'Queued requests', 'number'],
  ['in_flight', 'Requests running', 'number'],
  ['queued_bytes', 'Bytes of open batches', 'bytes'],
] as const;

type Held = Record<(typeof kinds)[number][0], Use>;

const Scope = ({ name, of }: { name: string; of: Held }) => (
  <section className={css.scope}>
    <h3>{name}</h3>
    {kinds.map(([kind, label, unit]) => {
      const use = of[kind];
      const room = roomOf(use);
      const words = useInWords(use, unit);
      return (
        <div key={kind} className={css.use}>
          <span>{label}</span>
          {use.limit !== null && (
            <span
              className={css.track}
              data-full={room === 'full' || undefined}
              role="meter"
              aria-label={`${label}, ${name}`}
              aria-valuemin={0}
              aria-valuemax={Math.max(1, use.limit)}
              aria-valuenow={Math.min(use.used, Math.max(1, use.limit))}
              aria-valuetext={words}
            >
              <i style={{ width: `${use.limit === 0 ? 100 : Math.min(100, (100 * use.used) / use.limit)}%` }} />
            </span>
          )}
          {use.limit === null && <span />}
          <span className={room === 'near' || room === 'full' ? `num ${css.near}` : 'num quiet'}>{words}</span>
        </div>
      );
    })}
  </section>
);

/** What is in use of what is allowed: one's own, the tenant's and everybody's. */
export const Usage = () => {
  const usage = useQuery({ queryKey: ['usage'], queryFn: () => bodyOf(api.GET('/v1/usage')), refetchInterval: 10_000 });
  return (
    <Card title="Usage and limits">
      <Answer of={usage} what="Usage">
        {({ user, tenant, global }) => (
          <>
            <Scope name={`Yours (${user.name})`} of={user} />
            <Scope name={`Of the tenant ${tenant.name}`} of={tenant} />
            <Scope name="Of all tenants together" of={global} />
          </>
        )}
      </Answer>
    </Card>
  );
};
