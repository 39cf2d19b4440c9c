import { errors, type ErrorCode, type ErrorEntry } from '../../contract/src/errors.ts';

const entries = Object.entries(errors) as [ErrorCode, ErrorEntry][];

const section = (title: string, intro: string, shown: [ErrorCode, ErrorEntry][], status: boolean): string => {
  const rows = shown.map(
    ([code, { status: number, type, means, todo }]) => `| \`${code}\` | ${status ? `${number} | \`${type}\` | ` : ''}${means} | ${todo} |`,
  );
  const head = status
    ? '| code | status | type | means | what to do |\n|---|---|---|---|---|'
    : '| code | means | what to do |\n|---|---|---|';
  return `## ${title}\n${intro}\n\n${head}\n${rows.join('\n')}\n`;
};

const page = (): string => `# Errors

Written from \`contract/src/errors.ts\` by \`npm run derive\`.

Every reply that is not a success has OpenAI's envelope, all four keys always there:

\`\`\`json
{"error": {"message": "Missing required parameter: 'endpoint'.", "type": "invalid_request_error", "param": "endpoint", "code": "missing_required_parameter"}}
\`\`\`

\`x-request-id\` is on every reply and in the server's log. OpenAI answers a few errors with \`"code": null\` (a batch that
cannot be cancelled, a file of the wrong format, a body that is not JSON); so does Sluice. Their clients repeat 408, 409,
429 and 5xx by themselves; a 409 says \`x-should-retry: false\`, since repeating it is of no use.

${section(
  'Replies',
  'Codes of replies. Those of 404, 429, 5xx from a model also stand in the `error` of a line of an error file.',
  entries.filter(([, { status }]) => status > 0),
  true,
)}
${section(
  'Inside objects',
  "Codes in a failed batch's `errors.data`, and in the `error` of a line of an error file.",
  entries.filter(([, { status }]) => status === 0),
  false,
)}`;

export const derive = (): Promise<Record<string, string>> => Promise.resolve({ 'docs/errors.md': page() });
