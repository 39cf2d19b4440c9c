import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { IconBookmark } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { remembered } from '../lib/prefs.ts';
import type { Raw } from '../lib/url.ts';
import { useSetting } from '../lib/use-settings.ts';
import { firstOf, noView, sameQuery, settingOf, viewsQuery, type View } from '../lib/views.ts';

const nowhere: Raw = {};

const ViewsDialog = lazy(() => import('./views-dialog.tsx'));

/** Lists of which this browser has seen a default: they wait for it, instead of showing something else first. */
const awaited = remembered<readonly string[]>('default-views', []);

export interface Views {
  screen: string;
  /** What a view would keep now. */
  shown: Raw;
  /** Where the list stands: with every address of it, and no part of a view. */
  place: Raw;
  all: readonly View[];
  /** The one that the address shows. */
  current: View | undefined;
  standard: string | null;
  open: (query: Raw) => void;
  /** Whether the address is what will be shown: a list is asked for then. */
  settled: boolean;
}

/**
 * Saved views of a list. Its address stays what is shown: a view is opened by going to its parameters, and `?view=slug` is
 * only a way to write them. An address without any opens the user's default.
 * @param screen what the views of this list are kept under
 * @param shown the parameters of the address that a view keeps
 * @param place parameters by which the list itself is found, where it is a part of a page
 */
export const useViews = (screen: string, shown: Raw, place: Raw = nowhere): Views => {
  const whole = useSearch({ strict: false }) as Raw;
  const raw = useMemo(() => Object.fromEntries(Object.entries(whole).filter(([name]) => !Object.hasOwn(place, name))), [whole, place]);
  const navigate = useNavigate();
  const list = useQuery(viewsQuery(screen));
  const value = useSetting(settingOf(screen));
  const [waited, wait] = awaited.use();
  const views = list.data ?? (list.isError ? [] : undefined);
  const standard = typeof value === 'string' ? value : null;
  const known = views !== undefined && value !== undefined;
  const first = known ? firstOf(raw, views, standard) : null;

  const came = useRef(false);
  const left = useRef<Raw>(null);
  useEffect(() => {
    if (!known) return;
    if (first === null) {
      came.current = true;
      return;
    }
    if (left.current === raw) return;
    left.current = raw;
    // Whoever has been here, and now asks for nothing in particular, has taken the default off.
    const off = came.current && raw['view'] === undefined;
    if (raw['view'] !== undefined) came.current = true;
    void navigate({ to: '.', search: { ...place, ...(off ? { view: noView } : first.show) }, replace: true, resetScroll: false });
    if (first.missing !== null)
      notifications.show({ title: 'No such view', message: `None is called ${first.missing}, or it is not shared with you.` });
  });
  const waits = standard !== null;
  useEffect(() => {
    if (known && waited.includes(screen) !== waits) wait(waits ? [...waited, screen] : waited.filter((each) => each !== screen));
  }, [known, waits, waited, wait, screen]);

  const guessed = Object.keys(raw).length > 0 ? raw['view'] === undefined || raw['view'] === noView : !waited.includes(screen);
  return {
    screen,
    shown,
    place,
    all: views ?? [],
    current: views?.find(({ query }) => sameQuery(query, shown)),
    standard,
    open: (query) => void navigate({ to: '.', search: { ...place, ...query }, resetScroll: false }),
    settled: known ? first === null : guessed,
  };
};

/** Chooses among the views of a list; they are saved and changed in a dialog. */
export const ViewsMenu = (views: Views) => {
  const { all, current, standard, open } = views;
  const [dialog, setDialog] = useState(false);
  return (
    <>
      <Menu width={240} position="bottom-start">
        <Menu.Target>
          <Button variant={current ? 'light' : 'default'} leftSection={<IconBookmark size={14} aria-hidden />}>
            <span className="hidden">{current ? 'View: ' : ''}</span>
            <bdi className="cut" style={{ maxWidth: 140 }}>
              {current?.name ?? 'Views'}
            </bdi>
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={400} style={{ overflow: 'auto' }}>
          {all.map((view) => (
            <Menu.RadioItem
              key={view.id}
              value={view.id}
              checked={view.id === current?.id}
              closeMenuOnClick
              rightSection={
                <span className="quiet">{[view.id === standard && 'default', !view.mine && view.owner].filter(Boolean).join(', ')}</span>
              }
              onClick={() => open(view.query)}
            >
              <bdi>{view.name}</bdi>
            </Menu.RadioItem>
          ))}
          {all.length > 0 && <Menu.Divider />}
          <Menu.Item onClick={() => setDialog(true)}>{all.length > 0 ? 'Save or change views' : 'Save this view'}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{dialog && <ViewsDialog {...views} close={() => setDialog(false)} />}</Suspense>
    </>
  );
};
