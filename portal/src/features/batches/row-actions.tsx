import { Menu } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { IconArrowRight, IconCopyPlus, IconDownload, IconPlayerStop, IconRotateClockwise } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { count } from '../../lib/format.ts';
import { againOf, cancellable, leftOf, useRetryWhole, type Actable } from './acts.ts';
import { CancelDialog } from './cancel.tsx';
import { batchQuery } from './queries.ts';
import { RowButton, type RowProps } from './row-button.tsx';

const icon = { size: 14, 'aria-hidden': true } as const;

const RowActions = ({ id, name, tabbable }: RowProps) => {
  const [opened, setOpened] = useState(false);
  // It came to be opened; but a menu that is open from its first moment on is laid nowhere.
  useEffect(() => setOpened(true), []);
  const navigate = useNavigate();
  const found = useQuery(batchQuery(id));
  const retry = useRetryWhole();
  const [cancelling, setCancelling] = useState<Actable | null>(null);
  const batch = found.data;
  /** Of several models each can be acted on by itself, under its name. */
  const acts = (of: Actable, suffix: string) => (
    <>
      {againOf(of) > 0 && (
        <Menu.Item leftSection={<IconRotateClockwise {...icon} />} onClick={() => retry.mutate(of.id)}>
          Retry {count(againOf(of))}
          {suffix}
        </Menu.Item>
      )}
      {cancellable(of) && (
        <Menu.Item leftSection={<IconPlayerStop {...icon} />} color="red" onClick={() => setCancelling(of)}>
          Cancel{suffix}
        </Menu.Item>
      )}
    </>
  );
  const files: [string, string | null][] = batch
    ? [
        ['Results', batch.output_file_id],
        ['Errors', batch.error_file_id],
      ]
    : [];
  return (
    <>
      <Menu opened={opened} onChange={setOpened} position="bottom-start" width={260}>
        <Menu.Target>
          <RowButton name={name} {...(tabbable !== undefined && { tabbable })} />
        </Menu.Target>
        <Menu.Dropdown mah={420} style={{ overflow: 'auto' }}>
          <Menu.Item leftSection={<IconArrowRight {...icon} />} onClick={() => void navigate({ to: `/batches/${id}` })}>
            Open
          </Menu.Item>
          {batch ? (
            <>
              {acts({ ...batch, name }, '')}
              <Menu.Item
                leftSection={<IconCopyPlus {...icon} />}
                onClick={() => void navigate({ to: '/batches/new', search: { clone: id } })}
              >
                Clone
              </Menu.Item>
              {files.map(([label, file]) =>
                file === null ? null : (
                  <Menu.Item
                    key={label}
                    leftSection={<IconDownload {...icon} />}
                    component="a"
                    href={`/v1/files/${file}/content`}
                    download={`${id}-${label.toLowerCase()}.jsonl`}
                  >
                    {label}
                  </Menu.Item>
                ),
              )}
              {batch.children.map((child) => (
                <div key={child.id} role="group" aria-label={child.model}>
                  <Menu.Divider />
                  <Menu.Item
                    leftSection={<IconArrowRight {...icon} />}
                    className="mono"
                    onClick={() => void navigate({ to: `/batches/${child.id}` })}
                  >
                    {child.model}
                  </Menu.Item>
                  {acts({ ...child, name: child.model }, ` of ${child.model}`)}
                </div>
              ))}
            </>
          ) : (
            <Menu.Label>{found.error ? found.error.message : 'Loading'}</Menu.Label>
          )}
        </Menu.Dropdown>
      </Menu>
      {cancelling && <CancelDialog id={cancelling.id} name={cancelling.name} left={leftOf(cancelling)} close={() => setCancelling(null)} />}
    </>
  );
};

export default RowActions;
