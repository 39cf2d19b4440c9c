/** As much of JSON Schema as forms are drawn from. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  anyOf?: Schema[];
  oneOf?: Schema[];
  unit?: unknown;
  'x-unit'?: unknown;
}

/** A value that may be null, as what it is where it is not: to leave its field empty says the rest. */
export const oneOf = (schema: Schema): Schema => {
  const some = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  const { anyOf: _, ...about } = schema;
  return some.length === 1 && some.length < schema.anyOf!.length ? { ...about, ...some[0] } : schema;
};

/** Which field asks for it. */
export const kindOf = (schema: Schema): 'choice' | 'yes' | 'number' | 'long' | 'text' | 'json' => {
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return 'choice';
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter((type) => type !== 'null');
  if (types.length !== 1) return 'json';
  switch (types[0]) {
    case 'boolean':
      return 'yes';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return (schema.maxLength ?? 0) > 1_000 ? 'long' : 'text';
    default:
      return 'json';
  }
};

/** A value to begin with: its example, its default, or that of each field. */
export const sampleOf = (schema: Schema): unknown => {
  if (schema.examples !== undefined && schema.examples.length > 0) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.properties === undefined) return undefined;
  const fields = Object.entries(schema.properties).flatMap(([name, each]) => {
    const value = sampleOf(each);
    return value === undefined ? [] : [[name, value] as const];
  });
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
};

/** What a text says as JSON, or why it does not. */
export const jsonOf = (text: string): { value?: unknown; wrong?: string } => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { wrong: (error as Error).message };
  }
};
