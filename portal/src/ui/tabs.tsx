import { useNavigate, useRouter, useRouterState } from '@tanstack/react-router';
import type { MouseEvent } from 'react';
import { compact, count as exact } from '../lib/format.ts';
import { writeQuery } from '../lib/url.ts';
import css from './tabs.module.css';

export interface Tab {
  id: string;
  label: string;
  count?: number | null | undefined;
  /** The parameters of its address, in place of those that are there. */
  search: Record<string, string | undefined>;
}

/** Parts of a page, or lists of one kind, each with an address of its own: links, so that they open in tabs of the browser too. */
export const Tabs = ({ tabs, on, label }: { tabs: readonly Tab[]; on: string; label: string }) => {
  const navigate = useNavigate();
  const { pathname, search: now } = useRouterState({ select: ({ location }) => location });
  const router = useRouter();
  const follow = (search: object) => (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void navigate({ to: '.', search, resetScroll: false });
  };
  return (
    <nav className={css.tabs} aria-label={label}>
      {tabs.map(({ id, label: name, count, search }) => {
        const whole = { ...(now as object), ...search };
        return (
          <a
            key={id}
            href={router.history.createHref(`${pathname}${writeQuery(whole)}`)}
            onClick={follow(whole)}
            className={css.tab}
            aria-current={id === on ? 'page' : undefined}
          >
            {name}
            {count !== undefined && count !== null && (
              <span className={css.count} title={exact(count)}>
                {compact(count)}
              </span>
            )}
          </a>
        );
      })}
    </nav>
  );
};

export interface Segment {
  id: string;
  label: string;
  count?: number | undefined;
}

/** One of a few, inside a part of a page. */
export const Segments = ({
  segments,
  on,
  choose,
  label,
}: {
  segments: readonly Segment[];
  on: string;
  choose: (id: string) => void;
  label: string;
}) => (
  <div className={css.segments} role="group" aria-label={label}>
    {segments.map(({ id, label: name, count }) => (
      <button key={id} type="button" className={css.segment} aria-pressed={id === on} onClick={() => choose(id)}>
        {name}
        {count !== undefined && <span className="num quiet">{exact(count)}</span>}
      </button>
    ))}
  </div>
);
