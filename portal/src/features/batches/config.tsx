import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Card } from '../../ui/page.tsx';
import { Json } from '../../ui/json.tsx';
import { batchQuery, type Batch } from './queries.ts';
import { priorityOf } from './words.ts';
import css from './details.module.css';

const settings = (batch: Batch): [string, string][] => [
  ['Input file', batch.input_file_id],
  ['Endpoint', batch.endpoint],
  ['Models', batch.models.join(', ') || '–'],
  ['Window', batch.completion_window],
  ['Priority', priorityOf(batch.priority)],
  ['Strategy', batch.strategy ?? 'adaptive, from the wide end'],
  ['At once at most', batch.max_concurrent === null ? 'as many as limits allow' : String(batch.max_concurrent)],
  ['Attempts at most', batch.max_attempts === null ? 'as the model or the server says' : String(batch.max_attempts)],
  ['Pool', batch.pool ?? 'any'],
  ['Lane', batch.lane],
  ['Deduplication', `${batch.dedup ?? 'as the server is set'}${batch.dedup_sampled ? ', sampled requests too' : ''}`],
  ['Deadline promised', batch.admitted ? 'yes' : 'no'],
  ...Object.entries(batch.metadata ?? {}).map(([key, value]): [string, string] => [`metadata ${key}`, value]),
];

/** What the batch was told, beside what the one before it was. */
export const Config = ({ batch }: { batch: Batch }) => {
  const parent = useQuery({ ...batchQuery(batch.continues ?? ''), enabled: batch.continues !== null });
  const before = parent.data ? new Map(settings(parent.data)) : null;
  return (
    <div className={css.columns}>
      <Card title="Settings" flush>
        <div className={css.wide} tabIndex={0} role="region" aria-label="Settings">
          <table className={css.table}>
            {before && (
              <thead>
                <tr>
                  <th>Setting</th>
                  <th>This batch</th>
                  <th>
                    <Link to={`/batches/${batch.continues}`} className="link">
                      The one it continues
                    </Link>
                  </th>
                </tr>
              </thead>
            )}
            <tbody>
              {settings(batch).map(([name, value]) => (
                <tr key={name}>
                  <td className="quiet">{name}</td>
                  <td className="mono">{value}</td>
                  {before && (
                    <td className="mono">
                      {before.get(name) === value ? <span className="quiet">the same</span> : (before.get(name) ?? '–')}
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Card title="As the API says it">
        <Json value={batch} label="the batch as JSON" height={480} />
      </Card>
    </div>
  );
};
