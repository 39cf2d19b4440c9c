import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';

// Comes when the first of them is opened: a list has one a row.
const RowActions = lazy(() => import('./row-actions.tsx'));

interface Props {
  id: string;
  name: string;
  /** Whether it can be reached by tabs: in a grid that has but one place for them, the row's key opens it. */
  tabbable?: boolean;
}

/** What can be done with one batch, or one model of a batch, where it stands in a list. */
export const RowMenu = ({ id, name, tabbable = false }: Props) => {
  const [state, setState] = useState<'unused' | 'open' | 'closed'>('unused');
  const button = (
    <ActionIcon
      size={24}
      tabIndex={tabbable ? 0 : -1}
      aria-label={`Actions on ${name}`}
      aria-haspopup="menu"
      onClick={() => setState(state === 'open' ? 'closed' : 'open')}
    >
      <IconDots size={16} aria-hidden />
    </ActionIcon>
  );
  if (state === 'unused') return button;
  return (
    <Menu opened={state === 'open'} onClose={() => setState('closed')} position="bottom-end" width={260}>
      <Menu.Target>{button}</Menu.Target>
      <Suspense>
        <RowActions id={id} name={name} />
      </Suspense>
    </Menu>
  );
};
