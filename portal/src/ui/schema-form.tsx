import { Checkbox, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import '@mantine/core/styles/NumberInput.css';
import { useState } from 'react';
import { jsonOf, kindOf, oneOf, type Schema } from '../lib/schema.ts';

interface FieldProps {
  name: string;
  schema: Schema;
  required: boolean;
  value: unknown;
  change: (value: unknown) => void;
}

const about = ({ description, unit, 'x-unit': written }: Schema): string | undefined => {
  const measure = unit ?? written;
  if (typeof measure !== 'string') return description;
  return description === undefined ? `In ${measure}.` : `${description} (${measure})`;
};

/** A choice as it is shown. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A value that has no field of its own, as JSON; what does not parse is kept and said. */
const JsonField = ({ name, schema, required, value, change }: FieldProps) => {
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 1)));
  const { wrong } = jsonOf(text);
  return (
    <Textarea
      label={schema.title ?? name}
      description={about(schema) ?? 'JSON.'}
      required={required}
      value={text}
      error={text === '' ? undefined : wrong}
      autosize={false}
      rows={4}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        const read = jsonOf(currentTarget.value);
        change(currentTarget.value.trim() === '' ? undefined : read.wrong === undefined ? read.value : undefined);
      }}
    />
  );
};

const Field = (props: FieldProps) => {
  const { name, schema, required, value, change } = props;
  const label = schema.title ?? name;
  const description = about(schema);
  switch (kindOf(schema)) {
    case 'choice':
      return (
        <Select
          label={label}
          description={description}
          required={required}
          data={schema.enum!.map(textOf)}
          value={value === undefined ? null : textOf(value)}
          clearable={!required}
          onChange={(chosen) => change(chosen === null ? undefined : schema.enum!.find((each) => textOf(each) === chosen))}
        />
      );
    case 'yes':
      return (
        <Checkbox
          label={label}
          description={description}
          checked={(value ?? schema.default) === true}
          onChange={({ currentTarget }) => change(currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          label={label}
          description={description}
          required={required}
          value={typeof value === 'number' ? value : ''}
          min={schema.minimum}
          max={schema.maximum}
          placeholder={typeof schema.default === 'number' ? String(schema.default) : undefined}
          allowDecimal={schema.type !== 'integer'}
          hideControls
          onChange={(number) => change(typeof number === 'number' ? number : undefined)}
        />
      );
    case 'long':
      return (
        <Textarea
          label={label}
          description={description}
          required={required}
          value={typeof value === 'string' ? value : ''}
          rows={4}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
          onChange={({ currentTarget }) => change(currentTarget.value === '' ? undefined : currentTarget.value)}
        />
      );
    case 'text':
      return (
        <TextInput
          label={label}
          description={description}
          required={required}
          value={typeof value === 'string' ? value : ''}
          spellCheck={false}
          onChange={({ currentTarget }) => change(currentTarget.value === '' ? undefined : currentTarget.value)}
        />
      );
    default:
      return <JsonField {...props} />;
  }
};

/** Fields for an object that a JSON Schema describes, with its titles, units and limits; what they cannot hold is asked as JSON. */
export const SchemaForm = ({
  schema,
  value,
  change,
}: {
  schema: Schema;
  value: Record<string, unknown>;
  change: (value: Record<string, unknown>) => void;
}) => (
  <div style={{ display: 'grid', gap: 10 }}>
    {Object.entries(schema.properties ?? {}).map(([name, each]) => (
      <Field
        key={name}
        name={name}
        schema={oneOf(each)}
        required={schema.required?.includes(name) === true}
        value={value[name]}
        change={(next) => {
          const { [name]: _, ...rest } = value;
          change(next === undefined ? rest : { ...rest, [name]: next });
        }}
      />
    ))}
  </div>
);
