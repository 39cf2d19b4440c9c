import { Link, useParams, useRouterState } from '@tanstack/react-router';
import { IconChevronRight } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { crumbNames } from '../lib/crumb-names.ts';
import { shortId } from '../lib/format.ts';
import { pages, type PageEntry } from './pages.ts';
import css from './shell.module.css';

const fill = (path: string, params: Record<string, string>): string => path.replace(/\$(\w+)/g, (_, name: string) => params[name] ?? '');

const entryOf = (path: string, params: Record<string, string>): PageEntry | undefined =>
  pages.find((page) => fill(page.path, params) === path);

/** Where the page stands: from the list of pages, with the names that records gave themselves. */
export const Crumbs = () => {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const params = useParams({ strict: false }) as Record<string, string>;
  const names = useSyncExternalStore(crumbNames.subscribe, crumbNames.get);
  const trail: { title: string; to: string }[] = [];
  for (let entry = entryOf(decodeURIComponent(path), params); entry !== undefined;) {
    const to = fill(entry.path, params);
    const id = /\$(\w+)$/.exec(entry.path)?.[1];
    const title = names.get(to) ?? (id === undefined ? entry.title : shortId(params[id] ?? entry.title));
    trail.unshift({ title, to });
    const above: string | undefined = entry.parent;
    entry = above === undefined ? undefined : pages.find((page) => page.path === above);
  }
  return (
    <nav className={css.crumbs} aria-label="Breadcrumbs">
      <ol>
        {trail.map(({ title, to }, i) => (
          <li key={to} aria-current={i === trail.length - 1 ? 'page' : undefined}>
            {i > 0 && <IconChevronRight size={12} aria-hidden />}
            {i < trail.length - 1 ? <Link to={to}>{title}</Link> : <span className="cut">{title}</span>}
          </li>
        ))}
      </ol>
    </nav>
  );
};
