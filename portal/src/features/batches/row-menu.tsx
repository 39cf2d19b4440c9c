import { lazy, Suspense, useState } from 'react';
import { RowButton, type RowProps } from './row-button.tsx';

// Comes when the first of them is opened: a list has one a row.
const RowActions = lazy(() => import('./row-actions.tsx'));

/** What can be done with one batch, or one model of a batch, where it stands in a list. */
export const RowMenu = ({ id, ...shown }: RowProps) => {
  const [used, setUsed] = useState(false);
  if (!used) return <RowButton {...shown} onClick={() => setUsed(true)} />;
  return (
    <Suspense fallback={<RowButton {...shown} />}>
      <RowActions id={id} {...shown} />
    </Suspense>
  );
};
