import { Button } from '@mantine/core';
import { useMemo, useState, type ReactNode } from 'react';
import { bytes } from '../lib/format.ts';
import { CopyButton } from './copy.tsx';
import css from './json.module.css';

/** More than this is shown when it is asked for: a body of 12 MB would freeze the page. */
const shownAtFirst = 64_000;
/** More than this has no colours: each would be an element. */
const coloured = 40_000;

const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)/g;

const paint = (text: string): ReactNode[] => {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(tokens)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    const [whole, string, colon, number] = match;
    const kind = string === undefined ? (number === undefined ? css.word : css.number) : colon === undefined ? css.string : css.key;
    parts.push(
      <span key={match.index} className={kind}>
        {string ?? whole}
      </span>,
    );
    if (colon) parts.push(colon);
    at = match.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
};

/** A value as indented JSON, or a text as it is; long ones from their beginning. */
export const Json = ({ value, label, height }: { value: unknown; label: string; height?: number | string }) => {
  const [all, setAll] = useState(false);
  const text = useMemo(() => (typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')), [value]);
  const long = text.length > shownAtFirst && !all;
  const shown = long ? text.slice(0, shownAtFirst) : text;
  const content = useMemo(() => (typeof value === 'string' || shown.length > coloured ? shown : paint(shown)), [value, shown]);
  return (
    <div className={css.box} style={{ height }}>
      <div className={css.tools}>
        <CopyButton text={text} what={label} />
      </div>
      <pre className={css.text} tabIndex={0} aria-label={label}>
        {content}
        {long && '\n…'}
      </pre>
      {long && (
        <Button variant="default" onClick={() => setAll(true)} mt={6}>
          Show all ({bytes(text.length)})
        </Button>
      )}
    </div>
  );
};
