import { useQuery } from '@tanstack/react-query';
import { absolute } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { eventsQuery, type Batch } from './queries.ts';
import css from './details.module.css';

const words: Record<string, string> = {
  'batch.created': 'Created',
  'batch.in_progress': 'Started',
  'batch.updated': 'Changed',
  'batch.escalated': 'Moved to dedicated workers',
  'batch.milestone': 'Milestone',
  'batch.finalizing': 'Finalizing',
  'batch.completed': 'Completed',
  'batch.failed': 'Refused',
  'batch.cancelling': 'Cancel asked',
  'batch.cancelled': 'Cancelled',
  'batch.expired': 'Expired',
};

const detail = ({ id: _, ...data }: Record<string, unknown>): string =>
  Object.entries(data)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : (value as string)}`)
    .join(' · ');

export const Events = ({ batch }: { batch: Batch }) => {
  const events = useQuery(eventsQuery(batch.id));
  return (
    <Card title="Events" flush>
      <Answer of={events} what="The events">
        {(data) => (
          <ol className={css.events} aria-label="Events, the newest first">
            {data.toReversed().map(({ number, type, created_at, data: about }) => (
              <li key={number}>
                <span className="quiet num">{absolute(created_at)}</span>
                <b style={{ fontWeight: 550 }}>{words[type] ?? type}</b>
                <span className="quiet" style={{ overflowWrap: 'anywhere' }}>
                  {detail(about)}
                </span>
              </li>
            ))}
          </ol>
        )}
      </Answer>
    </Card>
  );
};
