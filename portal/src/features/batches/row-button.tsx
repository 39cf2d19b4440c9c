import { ActionIcon, type ActionIconProps } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import type { ComponentProps } from 'react';

export interface RowProps {
  id: string;
  name: string;
  /** Whether it can be reached by tabs: in a grid that has but one place for them, the row's key opens it. */
  tabbable?: boolean;
}

/** Opens the menu of a row. */
export const RowButton = ({
  name,
  tabbable = false,
  ...others
}: Omit<RowProps, 'id'> & ActionIconProps & Omit<ComponentProps<'button'>, 'name' | 'color' | 'style'>) => (
  <ActionIcon size={24} tabIndex={tabbable ? 0 : -1} aria-haspopup="menu" aria-label={`Actions on ${name}`} {...others}>
    <IconDots size={16} aria-hidden />
  </ActionIcon>
);
