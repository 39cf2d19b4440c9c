import { Kbd, Modal, Switch } from '@mantine/core';
import { useState } from 'react';
import { shortcuts, singleKeys, type Shortcut } from '../lib/keys.ts';
import { pages } from './pages.ts';
import css from './shell.module.css';

const spoken = (keys: string): string => keys.replace('mod+k', 'Ctrl K');

const Help = ({ open, close }: { open: boolean; close: () => void }) => {
  const [on, setOn] = useState(singleKeys.on());
  const all: Shortcut[] = [
    ...shortcuts,
    ...pages.flatMap(({ nav, title }) => (nav?.key ? [{ keys: `g ${nav.key}`, does: title, group: 'Go to' as const }] : [])),
  ];
  return (
    <Modal opened={open} onClose={close} title="Keyboard shortcuts" size={640}>
      <Switch
        label="Single-key shortcuts"
        checked={on}
        onChange={(event) => {
          singleKeys.set(event.currentTarget.checked);
          setOn(event.currentTarget.checked);
        }}
      />
      <div className={css.keys}>
        {(['Everywhere', 'Go to', 'Lists', 'A record'] as const).map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {all
                .filter((each) => each.group === group)
                .map(({ keys, does }) => (
                  <div key={keys}>
                    <dt>{does}</dt>
                    <dd>
                      {spoken(keys)
                        .split(' ')
                        .map((key) => (
                          <Kbd key={key} size="xs">
                            {key}
                          </Kbd>
                        ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
};

export default Help;
