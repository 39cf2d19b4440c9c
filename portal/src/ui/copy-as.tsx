import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBrandNodejs, IconBrandPython, IconChevronDown, IconCode, IconTerminal2 } from '@tabler/icons-react';
import { snippets, type Call } from '../lib/snippets.ts';
import { copyText } from './copy.tsx';

const ways = [
  { name: 'curl', label: 'curl', icon: IconTerminal2 },
  { name: 'python', label: 'Python, openai', icon: IconBrandPython },
  { name: 'node', label: 'Node, openai', icon: IconBrandNodejs },
  { name: 'sluice', label: 'sluice', icon: IconTerminal2 },
] as const;

/** What the screen shows or does, as the same call of the API: every screen teaches it. */
export const CopyAs = ({ call }: { call: Call }) => {
  const copy = (name: (typeof ways)[number]['name'], label: string) => {
    void copyText(snippets(call, location.origin)[name]).then(() =>
      notifications.show({ message: `Copied as ${label}`, autoClose: 2_000 }),
    );
  };
  return (
    <Menu width={180}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconCode size={14} aria-hidden />} rightSection={<IconChevronDown size={12} aria-hidden />}>
          Copy as
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {ways.map(({ name, label, icon: Icon }) => (
          <Menu.Item key={name} leftSection={<Icon size={14} aria-hidden />} onClick={() => copy(name, label)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
};
