import { describeApi } from '../../server/src/roles/describe.ts';

interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
}

type Content = Record<string, { schema: Schema }>;

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required: boolean; description?: string; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

interface Document {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const nameOf = (ref: string): string => ref.split('/').at(-1)!;

/** A schema in a few words: `string or null`, `list of Batch`. */
const words = (schema: Schema): string => {
  if (schema.$ref) return `[${nameOf(schema.$ref)}](#${nameOf(schema.$ref).toLowerCase()})`;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(words).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? words(schema.items) : 'anything'}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') return `object of ${words(schema.additionalProperties)}`;
  const { minimum, maximum } = schema;
  const range = minimum !== undefined && maximum !== undefined ? ` ${minimum} to ${maximum}` : '';
  return (schema.type ?? 'anything') + range;
};

const text = (schema: Schema): string => schema.description ?? schema.anyOf?.find(({ description }) => description)?.description ?? '';

const cell = (value: string): string => value.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');

const fields = (schema: Schema, prefix = ''): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : ' (optional)';
    const object = [field, ...(field.anyOf ?? []), ...(field.items ? [field.items] : [])].find(({ properties }) => properties);
    return [
      `| \`${prefix}${name}\` | ${cell(words(field) + optional)} | ${cell(text(field))} |`,
      ...(object ? fields(object, `${prefix}${name}.`) : []),
    ];
  });

const table = (schema: Schema): string => `| field | type | |\n|---|---|---|\n${fields(schema).join('\n')}\n`;

const anchored = (content: Content): string =>
  Object.entries(content)
    .map(([type, { schema }]) => {
      const what = schema.properties?.['data']?.items ? `a page of ${words(schema.properties['data'].items)}` : words(schema);
      return type === 'application/json' ? what : `\`${type}\``;
    })
    .join(' or ');

const operation = (method: string, path: string, { summary, description, parameters = [], requestBody, responses }: Operation): string => {
  const parts = [`### \`${method.toUpperCase()} ${path}\`\n${summary ?? ''}.${description ? ` ${description}` : ''}\n`];
  const asked = parameters.filter((parameter) => parameter.in !== 'path');
  if (asked.length > 0)
    parts.push(
      `| parameter | type | |\n|---|---|---|\n${asked
        .map(({ name, schema, required, description: about = '' }) => {
          const value = schema.default === undefined ? '' : `${about && ' '}Default: ${JSON.stringify(schema.default)}.`;
          return `| \`${name}\` | ${cell(words(schema))}${required && schema.default === undefined ? '' : ' (optional)'} | ${cell(about + value)} |`;
        })
        .join('\n')}\n`,
    );
  for (const [type, { schema }] of Object.entries(requestBody?.content ?? {}))
    parts.push(`Body, \`${type}\`:\n\n${schema.$ref ? `${words(schema)}\n` : table(schema)}`);
  const good = Object.entries(responses).filter(([status]) => status !== 'default');
  for (const [status, { content }] of good) parts.push(`Replies ${status}${content ? `: ${anchored(content)}` : ''}.\n`);
  return parts.join('\n');
};

const page = ({ tags, paths, components }: Document): string => {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, op]) => ({ method, path, op })),
  );
  operations.sort((a, b) => a.path.localeCompare(b.path, 'en') || a.method.localeCompare(b.method, 'en'));
  const sections = tags.map(({ name, description }) => {
    const own = operations.filter(({ op }) => op.tags?.includes(name));
    return own.length === 0
      ? ''
      : `## ${name}\n${description}\n\n${own.map(({ method, path, op }) => operation(method, path, op)).join('\n')}`;
  });
  const objects = Object.entries(components.schemas).map(([name, schema]) =>
    `### ${name}\n${text(schema)}\n\n${table(schema)}`.replace('\n\n\n', '\n\n'),
  );
  return `# API

Written from \`server/openapi.json\` by \`npm run derive\`; a running server shows the same at \`/docs\`, where it can be tried.

Every route takes \`Authorization: Bearer <key>\`. Whatever goes wrong is an [Error](#error), with a code of
[errors.md](errors.md). Lists are read page after page with \`after=<last_id>\` while \`has_more\` is true.

${sections.filter(Boolean).join('\n')}
## Objects

${objects.join('\n')}`;
};

export const derive = async (): Promise<Record<string, string>> => {
  const document = await describeApi();
  return { 'server/openapi.json': `${JSON.stringify(document, null, 2)}\n`, 'docs/api.md': page(document as unknown as Document) };
};
