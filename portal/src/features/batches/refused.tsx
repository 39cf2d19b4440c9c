import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { IconDownload } from '@tabler/icons-react';
import { count } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import type { Batch } from './queries.ts';
import css from './details.module.css';

/** Why the file was refused, line by line. */
export const Refused = ({ batch }: { batch: Batch }) => {
  const errors = batch.errors?.data ?? [];
  return (
    <Card
      title={`The file was refused: ${count(errors.length)}${batch.errors_file_id ? ' or more' : ''} ${errors.length === 1 ? 'line is' : 'lines are'} wrong`}
      flush
      actions={
        <>
          {batch.errors_file_id && (
            <Button
              component="a"
              href={`/v1/files/${batch.errors_file_id}/content`}
              download={`${batch.id}-validation.jsonl`}
              variant="default"
              leftSection={<IconDownload size={14} aria-hidden />}
            >
              All of them
            </Button>
          )}
          <Button renderRoot={(props) => <Link to="/batches/new" search={{ clone: batch.id } as never} {...props} />}>
            Correct and try again
          </Button>
        </>
      }
    >
      <div className={css.wide} tabIndex={0} role="region" aria-label="Validation errors" style={{ maxHeight: 480, overflow: 'auto' }}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>Line</th>
              <th>Code</th>
              <th>What is wrong</th>
              <th>Where</th>
            </tr>
          </thead>
          <tbody>
            {errors.map(({ line, code, message, param }, i) => (
              <tr key={i}>
                <td className="num">{line === null ? '–' : count(line)}</td>
                <td className="mono">{code}</td>
                <td>{message}</td>
                <td className="mono quiet">{param ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
};
