import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconX } from '@tabler/icons-react';
import { compact } from '../../lib/format.ts';
import { lookOf } from '../../ui/status.tsx';
import type { Api } from '../../lib/api.ts';
import type { Shown } from './list-query.ts';
import css from './list.module.css';

type Counts = Api<'PortalBatchCounts'>;
type Field = 'model' | 'user' | 'pool' | 'priority' | 'sla';

const fields: { field: Field; label: string }[] = [
  { field: 'model', label: 'Model' },
  { field: 'user', label: 'Owner' },
  { field: 'pool', label: 'Pool' },
  { field: 'priority', label: 'Priority' },
  { field: 'sla', label: 'SLA' },
];

const listOf = (value: string | readonly string[]): string[] => (typeof value === 'string' ? value.split(',').filter(Boolean) : [...value]);
const as = (field: Field, values: string[]): Partial<Shown> => ({ [field]: field === 'sla' ? values : values.join(',') });
const wordOf = (field: Field, value: string): string =>
  field === 'sla' ? lookOf(value).word : field === 'priority' ? ({ 1: 'normal', 5: 'medium', 10: 'high' }[value] ?? value) : value;

/** A menu for each field: its values with how many batches have them, of those that the other fields mean. */
export const FilterMenus = ({ shown, counts, set }: { shown: Shown; counts: Counts | undefined; set: (patch: Partial<Shown>) => void }) => (
  <>
    {fields.map(({ field, label }) => {
      const on = listOf(shown[field]);
      const values = counts?.[field] ?? [];
      return (
        <Menu key={field} closeOnItemClick={false} width={230} position="bottom-start">
          <Menu.Target>
            <Button variant={on.length > 0 ? 'light' : 'default'} rightSection={<IconChevronDown size={12} aria-hidden />}>
              {label}
              {on.length > 0 && ` · ${on.length}`}
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={360} style={{ overflow: 'auto' }}>
            {values.length === 0 && <Menu.Label>No batch has one</Menu.Label>}
            {values.map(({ value, count }) => {
              const chosen = on.includes(value);
              return (
                <Menu.CheckboxItem
                  key={value}
                  checked={chosen}
                  rightSection={<span className="num quiet">{compact(count)}</span>}
                  onChange={() => set(as(field, chosen ? on.filter((each) => each !== value) : [...on, value]))}
                >
                  {wordOf(field, value)}
                </Menu.CheckboxItem>
              );
            })}
          </Menu.Dropdown>
        </Menu>
      );
    })}
  </>
);

/** The filter once more, each part with its ✕. */
export const Chips = ({ shown, set }: { shown: Shown; set: (patch: Partial<Shown>) => void }) => {
  const chips = [
    ...fields.flatMap(({ field, label }) =>
      listOf(shown[field]).map((value) => ({
        key: `${field}${value}`,
        text: `${label}: ${wordOf(field, value)}`,
        drop: as(
          field,
          listOf(shown[field]).filter((each) => each !== value),
        ),
      })),
    ),
    ...(shown.from === '' ? [] : [{ key: 'from', text: `Since ${shown.from}`, drop: { from: '' } }]),
    ...(shown.to === '' ? [] : [{ key: 'to', text: `Until ${shown.to}`, drop: { to: '' } }]),
    ...(shown.q === '' ? [] : [{ key: 'q', text: shown.q, drop: { q: '' } }]),
  ];
  if (chips.length === 0) return null;
  return (
    <div className={css.chips}>
      {chips.map(({ key, text, drop }) => (
        <button key={key} type="button" className={css.chip} onClick={() => set(drop)}>
          <span className="hidden">Remove filter </span>
          {text}
          <IconX size={12} aria-hidden />
        </button>
      ))}
    </div>
  );
};
