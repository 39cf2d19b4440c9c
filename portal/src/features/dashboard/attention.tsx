import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { Moment } from '../../ui/moment.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer, Waiting } from '../../ui/states.tsx';
import css from './dashboard.module.css';

type Item = Api<'PortalAttention'>['data'][number];

/** The page that a server's link means; lists take its filter as their address. */
const placeOf = ({ screen, id }: Item['link']): string => {
  if (screen === 'batch') return `/batches/${id}`;
  if (screen === 'dead-letters') return id === undefined ? '/dead-letters' : `/dead-letters/${id}`;
  if (screen === 'models') return id === undefined ? '/models' : `/models/${id}`;
  return { batches: '/batches', workers: '/workers', usage: '/settings' }[screen];
};

/** What somebody should look at, the worst first. */
export const Attention = () => {
  const attention = useQuery({
    queryKey: ['attention'],
    queryFn: () => bodyOf(api.GET('/v1/portal/attention')),
    refetchInterval: 15_000,
  });
  return (
    <Card title="Needs attention" flush>
      <Answer of={attention} what="What needs attention" waiting={<Waiting rows={2} />}>
        {({ data }) =>
          data.length === 0 ? (
            <p className={css.fine}>
              <IconCircleCheck size={16} aria-hidden /> Nothing does.
            </p>
          ) : (
            <ul className={css.list}>
              {data.map((item) => (
                <li key={`${item.kind} ${item.title}`}>
                  <Link to={placeOf(item.link)} search={item.link.filter as never} className={css.entry}>
                    <IconAlertTriangle size={15} aria-hidden className={item.severity === 'critical' ? css.critical : css.warning} />
                    <span>
                      <b>
                        <span className="hidden">{item.severity === 'critical' ? 'Critical: ' : 'Warning: '}</span>
                        {item.title}
                      </b>
                      {item.detail !== null && <span className="quiet"> {item.detail}</span>}
                    </span>
                    {item.since !== null && (
                      <span className="quiet">
                        <Moment at={item.since} />
                      </span>
                    )}
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Card>
  );
};
