/** A call of the API, to be written as any client would. */
export interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** With its query: `/v1/batches?status=failed`. */
  path: string;
  body?: unknown;
  /** What the stock client of OpenAI's would write after `client.`; absent: a raw call. */
  openai?: { python: string; node: string } | undefined;
  /** Arguments of `sluice`; absent: those of `sluice api`, which takes any call. */
  sluice?: readonly string[] | undefined;
}

const shell = (text: string): string => (/^[\w./:=@%,+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** Options of `sluice` that have a value: `--status failed`. */
export const flags = (values: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));

/** JSON as Python writes it. */
export const pythonic = (value: unknown): string => {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(pythonic).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, each]) => `${JSON.stringify(name)}: ${pythonic(each)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
};

const raw = (path: string): string => path.replace(/^\/v1/, '');

export const snippets = ({ method, path, body, openai, sluice }: Call, origin: string) => {
  const json = body === undefined ? '' : JSON.stringify(body);
  const verb = method.toLowerCase();
  const python =
    openai?.python ?? `${verb}(${JSON.stringify(raw(path))}, cast_to=object${body === undefined ? '' : `, body=${pythonic(body)}`})`;
  const node = openai?.node ?? `${verb}(${JSON.stringify(raw(path))}${body === undefined ? '' : `, { body: ${json} }`})`;
  return {
    curl: [
      `curl ${method === 'GET' ? '' : `-X ${method} `}${shell(`${origin}${path}`)}`,
      `-H "Authorization: Bearer $SLUICE_API_KEY"`,
      ...(body === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d ${shell(json)}`]),
    ].join(' \\\n  '),
    python:
      `from openai import OpenAI\n\nclient = OpenAI(base_url="${origin}/v1", api_key=os.environ["SLUICE_API_KEY"])\nprint(client.${python})`.replace(
        'from openai',
        'import os\nfrom openai',
      ),
    node: `import OpenAI from 'openai';\n\nconst client = new OpenAI({ baseURL: '${origin}/v1', apiKey: process.env.SLUICE_API_KEY });\nconsole.log(await client.${node});`,
    sluice:
      sluice === undefined
        ? `sluice api ${method === 'GET' ? '' : `-X ${method} `}${shell(path)}${body === undefined ? '' : ` -d ${shell(json)}`}`
        : ['sluice', ...sluice.map(shell)].join(' '),
  };
};
