import type { ReactNode } from 'react';
import css from './facts.module.css';

/** What there is to know of a thing: names, and what each is; as many beside each other as have room. */
export const Facts = ({ of }: { of: readonly (readonly [name: string, value: ReactNode])[] }) => (
  <dl className={css.facts}>
    {of.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd className="cut" title={typeof value === 'string' ? value : undefined}>
          {value}
        </dd>
      </div>
    ))}
  </dl>
);
