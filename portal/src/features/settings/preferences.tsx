import { Switch, useMantineColorScheme } from '@mantine/core';
import { useState } from 'react';
import { singleKeys } from '../../lib/keys.ts';
import { Card } from '../../ui/page.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { zone } from '../../ui/moment.tsx';
import css from './settings.module.css';

const themes = [
  { id: 'light', label: 'Light' },
  { id: 'dark', label: 'Dark' },
  { id: 'auto', label: 'As the system' },
];
const times = [
  { id: 'relative', label: 'How long ago' },
  { id: 'clock', label: 'Time of day' },
];

/** How this browser shows things. */
export const Preferences = () => {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [style, setStyle] = zone.use();
  const [keys, setKeys] = useState(singleKeys.on());
  return (
    <Card title="Preferences of this browser">
      <div className={css.prefs}>
        <div className={css.pref}>
          <span>Theme</span>
          <Segments label="Theme" segments={themes} on={colorScheme} choose={(id) => setColorScheme(id as typeof colorScheme)} />
        </div>
        <div className={css.pref}>
          <span>Times</span>
          <Segments label="Times" segments={times} on={style} choose={(id) => setStyle(id as typeof style)} />
        </div>
        <Switch
          label="Single-key shortcuts"
          description="Off for those whose software types them, as speech input does. Ctrl K stays; ? shows all."
          checked={keys}
          onChange={({ currentTarget: { checked } }) => {
            singleKeys.set(checked);
            setKeys(checked);
          }}
        />
      </div>
    </Card>
  );
};
