import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  type ErrorComponentProps,
} from '@tanstack/react-router';
import { Notifications } from '@mantine/notifications';
import { readQuery, writeQuery } from '../lib/url.ts';
import { session } from '../lib/session.ts';
import { Broken, Empty, Waiting } from '../ui/states.tsx';
import { Page } from '../ui/page.tsx';
import { pages } from './pages.ts';
import { Shell } from './shell.tsx';

/** Notes have links, and so stand inside the router. */
const Root = () => (
  <>
    <Outlet />
    <Notifications position="bottom-right" limit={4} />
  </>
);

const root = createRootRoute({ component: Root });

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  // Whoever is not signed in comes back to where they were going.
  beforeLoad: ({ location }) => {
    if (session.current() === null) throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
  },
});

const routes = pages.map(({ path, load, open }) =>
  createRoute({
    getParentRoute: () => (open ? root : shell),
    path,
    // Each page reads its own parameters (lib/url.ts): here they are texts.
    validateSearch: (search: Record<string, unknown>) => search,
    component: lazyRouteComponent(load),
  }),
);

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/batches' });
  },
});

const Lost = () => (
  <Page title="Not found">
    <Empty title="There is no such page">The address may have been cut short. ⌘K finds batches, models and pages.</Empty>
  </Page>
);

const Crashed = ({ error, reset }: ErrorComponentProps) => (
  <Page title="Something went wrong">
    <Broken error={error} retry={reset} what="This page" />
  </Page>
);

const hasHome = pages.some(({ path }) => path === '/');

export const router = createRouter({
  routeTree: root.addChildren([
    ...(hasHome ? [] : [home]),
    ...routes.filter((_, i) => pages[i]!.open),
    shell.addChildren(routes.filter((_, i) => !pages[i]!.open)),
  ]),
  parseSearch: readQuery,
  stringifySearch: writeQuery,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Waiting rows={10} />,
  defaultPendingMs: 150,
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: Lost,
});
