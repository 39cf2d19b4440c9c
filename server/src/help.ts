import { flagOf, options, variableOf, type Option } from './options.ts';

const shown = (option: Option): string => {
  if (option.default === null) return '';
  if (option.kind === 'bytes' && typeof option.default === 'number')
    return option.default >= 1e9 ? `${option.default / 1e9}GB` : `${option.default / 1e6}MB`;
  return String(option.default);
};

/** What `--help` prints. */
export const helpText = (): string => {
  const flags = options.map((o) => ({ flag: `--${o.alias ?? flagOf(o)}`, about: o.about, value: shown(o) }));
  const width = Math.max(...flags.map(({ flag }) => flag.length));
  return `sluice ROLE [flags]

  start       everything: database, API, scheduler and workers
  api         the HTTP API
  scheduler   validates, queues, rescues and finalizes; several may run
  worker      runs requests; several may run
  migrate     brings the database up to date, and ends

Every flag is also a variable (--limits-max-lines is SLUICE_LIMITS__MAX_LINES) and a line of sluice.yaml.

  ${'--config'.padEnd(width)}  The sluice.yaml to read; else the one in the working directory.
${flags.map(({ flag, about, value }) => `  ${flag.padEnd(width)}  ${about}${value === '' ? '' : ` (${value})`}`).join('\n')}
`;
};

/** `docs/configuration.md`. */
export const configurationPage = (): string => `# Configuration

A flag is stronger than the environment, that is stronger than \`sluice.yaml\` (in the working directory, or where
\`SLUICE_CONFIG\` or \`--config\` says), and that than the default. In \`sluice.yaml\` the part before the dot is a section:

\`\`\`yaml
port: 9000
limits:
  max_lines: 100000
models:
  - name: llama
    version: "1.0.0"
    executor: openai
    options: {base_url: "http://127.0.0.1:8000/v1", upstream_model: llama-3.1-8b}
keys:
  - {key_file: ann.key, tenant: lab, user: ann, role: admin}
\`\`\`

Paths in \`sluice.yaml\` are relative to its folder, others to the working directory. An option that does not exist is
an error at the start, with the one that was probably meant. Secrets may come from files: \`SLUICE_API_KEY_FILE\`,
\`SLUICE_DATABASE_URL_FILE\`, \`key_file\` and \`api_key_file\`. Bytes may carry a unit: \`16MB\`, \`1GiB\`.

| option | variable | flag | default | |
|---|---|---|---|---|
${options.map((o) => `| \`${o.key}\` | \`${variableOf(o)}\` | \`--${o.alias ?? flagOf(o)}\` | ${shown(o) === '' ? '' : `\`${shown(o)}\``} | ${o.about} |`).join('\n')}

## Lists, in \`sluice.yaml\` only

| option | |
|---|---|
| \`models\` | What can be run: \`name\`, \`version\` (semantic, in quotes), \`executor\` (\`onnx\`, \`descriptors\`, \`openai\`, \`oip\`, \`http\`, \`command\`, \`boltz\`, \`chai\`, \`rfantibody\`, \`echo\`), \`options\` (the executor's own), and perhaps \`schema\`, a JSON Schema (2020-12) of its inputs: checked at the start, served at \`/v1/models/NAME/schema\`, drawn as the portal's form; requests are not held to it. \`echo\` 1.0.0 is always there. |
| \`keys\` | Who may ask: \`key\` or \`key_file\`, \`tenant\`, \`user\`, and \`role\`: \`admin\` where the key may register models that other servers answer for, else \`user\`. That of \`SLUICE_API_KEY\` is an admin key. |
| \`quotas\` | What may be held at once: \`global\` (all together), \`tenant\` (each), \`user\` (each), \`tenants\` (some by name, where they differ from \`tenant\`). |

## Quotas

\`\`\`yaml
quotas:
  global: {max_in_flight: 5000}
  tenant: {max_batches: 50, max_queued_requests: 5000000, max_queued_bytes: 10GB}
  user: {max_batches: 10}
  tenants:
    lab: {max_batches: 200, max_queued_bytes: null}
\`\`\`

| option | counts | where it would be exceeded |
|---|---|---|
| \`max_batches\` | batches that have not ended | creating one is refused: 429 \`quota_exceeded\` |
| \`max_queued_bytes\` | bytes of their inputs | the same |
| \`max_queued_requests\` | requests that wait to be run | the batch fails when it is validated, with \`quota_exceeded\` |
| \`max_in_flight\` | requests that run | they wait for their turn |

What is not given, or null, is any number. \`sluice usage\` shows what is in use.
`;
