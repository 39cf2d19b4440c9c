import { useEffect, type ReactNode } from 'react';
import css from './page.module.css';

/** The name of the view in the browser's tab: what changes first, as `12 % · Kinase panel · Batches`. */
export const useTitle = (...parts: (string | null | undefined | false)[]): void => {
  const title = [...parts.filter(Boolean), 'Sluice'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
};

interface PageProps {
  title: string;
  /** What stands before the title in the browser's tab. */
  lead?: string | null;
  /** Beside the heading. */
  note?: ReactNode;
  actions?: ReactNode;
  /** As high as the window, so that a table inside scrolls instead of the page. */
  fill?: boolean;
  /** For pages whose heading is a part of something larger. */
  heading?: ReactNode;
  children: ReactNode;
}

/** A page: its heading, its actions, what it shows. Each has one `h1`. */
export const Page = ({ title, lead, note, actions, fill, heading, children }: PageProps) => {
  useTitle(lead, title);
  return (
    <div className={fill ? `${css.page} ${css.fill}` : css.page}>
      {heading ?? (
        <header className={css.head}>
          <h1>{title}</h1>
          {note !== undefined && <span className={css.note}>{note}</span>}
          <span className={css.space} />
          {actions}
        </header>
      )}
      {children}
    </div>
  );
};

/** A part of a page, with a heading of its own. */
export const Card = ({
  title,
  actions,
  children,
  flush,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}) => (
  <section className={css.card}>
    {title !== undefined && (
      <div className={css.cardHead}>
        <h2>{title}</h2>
        <span className={css.space} />
        {actions}
      </div>
    )}
    {flush ? children : <div className={css.cardBody}>{children}</div>}
  </section>
);
