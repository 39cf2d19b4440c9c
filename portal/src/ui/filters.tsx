import { Button, TextInput } from '@mantine/core';
import type { ReactNode, SubmitEvent } from 'react';

interface FiltersProps<Name extends string> {
  fields: readonly { name: Name; label: string; hint?: string; width?: number }[];
  values: Record<Name, string>;
  apply: (values: Record<Name, string>) => void;
  /** Before and behind the fields. */
  lead?: ReactNode;
  children?: ReactNode;
}

/** Texts that a list is filtered by; they hold once Enter is pressed. */
export const Filters = <Name extends string>({ fields, values, apply, lead, children }: FiltersProps<Name>) => {
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const typed = fields.map(({ name }) => {
      const value = form.get(name);
      return [name, typeof value === 'string' ? value.trim() : ''];
    });
    apply(Object.fromEntries(typed) as Record<Name, string>);
  };
  return (
    <form onSubmit={submit} style={{ display: 'flex', gap: 8, flexWrap: 'wrap', alignItems: 'center' }}>
      {lead}
      {fields.map(({ name, label, hint = label, width = 180 }) => (
        <TextInput
          size="xs"
          key={`${name} ${values[name]}`}
          name={name}
          aria-label={label}
          placeholder={hint}
          defaultValue={values[name]}
          w={width}
        />
      ))}
      <Button type="submit" variant="default">
        Filter
      </Button>
      {children}
    </form>
  );
};
