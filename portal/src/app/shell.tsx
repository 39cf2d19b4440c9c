import { ActionIcon, Kbd, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useIsFetching } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouter, useRouterState } from '@tanstack/react-router';
import { IconDeviceDesktop, IconHelp, IconLogout, IconMenu2, IconMoon, IconSearch, IconSun, IconUserCircle } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { live } from '../lib/live.ts';
import { session } from '../lib/session.ts';
import { zone } from '../ui/moment.tsx';
import { Crumbs } from './crumbs.tsx';
import { useGlobalKeys } from './global-keys.ts';
import { icons } from './icons.tsx';
import { pages } from './pages.ts';
import css from './shell.module.css';

// Opened by a key, later than the page: their code comes then.
const Palette = lazy(() => import('./palette.tsx'));
const Help = lazy(() => import('./help.tsx'));

const isMac = navigator.platform.startsWith('Mac');

const groups = ['Work', 'Results', 'Operate'] as const;

const Nav = ({ open, close }: { open: boolean; close: () => void }) => {
  const who = session.current();
  return (
    <nav className={css.nav} aria-label="Main" data-open={open || undefined}>
      <Link to="/" className={css.brand} aria-label="Sluice, home" onClick={close}>
        <img src="/icon.svg" width={22} height={22} alt="" />
        <span className={css.word}>Sluice</span>
      </Link>
      {groups.map((group) => {
        const inGroup = pages.filter(({ nav }) => nav?.group === group);
        return inGroup.length === 0 ? null : (
          <div key={group}>
            <div className={css.group} id={`nav-${group}`}>
              {group}
            </div>
            <ul className={css.links} aria-label={group}>
              {inGroup.map(({ path, title, nav }) => {
                const Icon = icons[nav!.icon]!;
                return (
                  <li key={path}>
                    <Link
                      to={path}
                      className={css.item}
                      title={title}
                      aria-label={title}
                      onClick={close}
                      activeOptions={{ exact: path === '/', includeSearch: false }}
                    >
                      <Icon size={16} stroke={1.75} aria-hidden />
                      <span className={css.word}>{title}</span>
                    </Link>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
      <div className={css.foot}>
        <a href="/docs" className="link">
          API reference
        </a>
        {who && <span className="num">{`Version ${who.server.version}`}</span>}
      </div>
    </nav>
  );
};

const words = { live: 'Live', connecting: 'Connecting', reconnecting: 'Reconnecting', paused: 'Paused', off: 'Not live' } as const;

const LiveDot = () => {
  const state = useSyncExternalStore(
    (listener) => live.onState(listener),
    () => live.shown,
  );
  const [ago, setAgo] = useState(0);
  useEffect(() => {
    if (state !== 'reconnecting') return;
    const timer = setInterval(() => setAgo(Math.round((Date.now() - live.heardAt) / 1_000)), 1_000);
    return () => clearInterval(timer);
  }, [state]);
  const word = state === 'reconnecting' && ago > 0 ? `Reconnecting, last update ${ago} s ago` : words[state];
  return (
    <Tooltip label={state === 'paused' ? 'Resume live updates (.)' : 'Pause live updates (.)'}>
      <button
        type="button"
        className={css.live}
        onClick={() => live.pause(state !== 'paused')}
        aria-label={`${word}. ${state === 'paused' ? 'Resume' : 'Pause'} live updates`}
      >
        <span className={css.dot} data-state={state} />
        <b style={{ fontWeight: 500 }}>{word}</b>
      </button>
    </Tooltip>
  );
};

const ThemeMenu = () => {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop }[colorScheme];
  return (
    <Menu width={150}>
      <Menu.Target>
        <ActionIcon aria-label={`Theme: ${colorScheme}`}>
          <Icon size={16} stroke={1.75} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(
          [
            ['light', 'Light', IconSun],
            ['dark', 'Dark', IconMoon],
            ['auto', 'As the system', IconDeviceDesktop],
          ] as const
        ).map(([scheme, label, Each]) => (
          <Menu.Item key={scheme} leftSection={<Each size={14} aria-hidden />} onClick={() => setColorScheme(scheme)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
};

const UserMenu = () => {
  const who = session.current();
  const navigate = useNavigate();
  const [style, setStyle] = zone.use();
  const leave = () => void session.signOut().then(() => navigate({ to: '/sign-in' }));
  return (
    <Menu width={220}>
      <Menu.Target>
        <ActionIcon aria-label={`Signed in as ${who?.user ?? 'nobody'}`}>
          <IconUserCircle size={18} stroke={1.75} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {who?.user} · {who?.tenant}
          {who?.role === 'admin' ? ' · admin' : ''}
        </Menu.Label>
        <Menu.Item closeMenuOnClick={false} onClick={() => setStyle(style === 'relative' ? 'clock' : 'relative')}>
          {style === 'relative' ? 'Show times of day' : 'Show how long ago'}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={14} aria-hidden />} onClick={leave}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
};

/** The frame of every page but the sign-in: navigation, top bar, keys, and what is live. */
export const Shell = () => {
  const [palette, setPalette] = useState<'unused' | 'open' | 'closed'>('unused');
  const [help, setHelp] = useState<'unused' | 'open' | 'closed'>('unused');
  const [nav, setNav] = useState(false);
  const router = useRouter();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const loading = useRouterState({ select: (state) => state.status === 'pending' });
  const fetching = useIsFetching({ predicate: ({ meta }) => meta?.['slow'] === true });
  const main = useRef<HTMLElement>(null);
  useGlobalKeys({ palette: () => setPalette('open'), help: () => setHelp('open') });

  useEffect(() => {
    live.start(session.current()?.event);
    const stop = session.subscribe(() => {
      if (session.current() !== null) return;
      const { pathname, href } = router.state.location;
      if (pathname !== '/sign-in') void router.navigate({ to: '/sign-in', search: { next: href } });
    });
    return () => {
      stop();
      live.stop();
    };
  }, [router]);

  // Whoever reads with their ears is told of the new page by where the focus goes.
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      main.current?.scrollTo(0, 0);
    }
    first.current = false;
  }, [path]);

  return (
    <div className={css.shell}>
      <a href="#main" className={css.skip}>
        Skip to content
      </a>
      {(loading || fetching > 0) && <div className={css.progress} aria-hidden />}
      <Nav open={nav} close={() => setNav(false)} />
      <header className={css.top}>
        <ActionIcon className={css.menu} onClick={() => setNav(!nav)} aria-label="Navigation" aria-expanded={nav}>
          <IconMenu2 size={18} aria-hidden />
        </ActionIcon>
        <Crumbs />
        <button type="button" className={css.search} onClick={() => setPalette('open')}>
          <IconSearch size={14} aria-hidden />
          <span>Search or jump to</span>
          <Kbd size="xs" aria-hidden>
            {isMac ? '⌘' : 'Ctrl'} K
          </Kbd>
        </button>
        <LiveDot />
        <Tooltip label="Keyboard shortcuts (?)">
          <ActionIcon onClick={() => setHelp('open')} aria-label="Keyboard shortcuts">
            <IconHelp size={18} stroke={1.75} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <ThemeMenu />
        <UserMenu />
      </header>
      <main id="main" ref={main} className={css.main} tabIndex={-1} onClick={() => nav && setNav(false)}>
        <Outlet />
      </main>
      <Suspense>
        {palette !== 'unused' && <Palette open={palette === 'open'} close={() => setPalette('closed')} />}
        {help !== 'unused' && <Help open={help === 'open'} close={() => setHelp('closed')} />}
      </Suspense>
    </div>
  );
};
