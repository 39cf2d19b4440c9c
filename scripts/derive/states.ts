import { batchStatuses, requestStates, type RequestState } from '../../contract/src/batches.ts';
import { moves, terminal } from '../../server/src/batches/state.ts';

const requestMeans: Record<RequestState, { means: string; counted: string; line: string }> = {
  queued: { means: 'stands in a chunk that no worker holds', counted: '', line: '' },
  running: { means: 'stands in a chunk that a worker has leased', counted: '', line: '' },
  waiting: { means: 'failed in a way that another attempt may mend, and waits for it', counted: '', line: '' },
  completed: { means: 'succeeded', counted: 'completed', line: 'output file' },
  failed: { means: 'failed in a way that no attempt would mend', counted: 'failed', line: 'error file' },
  dead_lettered: { means: 'used up its attempts, or killed each worker that ran it', counted: 'failed', line: 'error file' },
  cancelled: { means: 'had not settled when its batch was cancelled', counted: 'cancelled', line: 'error file, `batch_cancelled`' },
  expired: { means: 'had not settled at the deadline', counted: 'expired', line: 'error file, `batch_expired`' },
};

const diagram = [
  'stateDiagram-v2',
  '  [*] --> validating',
  ...moves.map(({ from, to, when }) => `  ${from} --> ${to}: ${when.replaceAll(/[;:]/g, ',')}`),
  ...batchStatuses.filter(terminal).map((status) => `  ${status} --> [*]`),
].join('\n');

const page = (): string => `# States

Written from \`server/src/batches/state.ts\` and the contract by \`npm run derive\`.

## A batch

\`\`\`mermaid
${diagram}
\`\`\`

| from | to | when |
|---|---|---|
${moves.map(({ from, to, when }) => `| \`${from}\` | \`${to}\` | ${when} |`).join('\n')}

${batchStatuses
  .filter(terminal)
  .map((status) => `\`${status}\``)
  .join(', ')} are final. A batch is \`failed\` only where its
input was refused; one whose requests all failed is \`completed\`, without an output file.

## A request

| state | it | counted in \`request_counts\` | its line |
|---|---|---|---|
${requestStates.map((state) => `| \`${state}\` | ${requestMeans[state].means} | ${requestMeans[state].counted || '–'} | ${requestMeans[state].line || '–'} |`).join('\n')}

At every final state of a batch: total = completed + failed + cancelled + expired, and each line of the input is in
exactly one of the two files.
`;

export const derive = (): Promise<Record<string, string>> => Promise.resolve({ 'docs/states.md': page() });
