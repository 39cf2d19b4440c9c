import { batchStatuses, requestStates } from '../../contract/src/batches.ts';
import { moves, terminal } from '../../server/src/batches/state.ts';
import { jobMoves } from '../../server/src/jobs/state.ts';
import { modelStatuses } from '../../contract/src/models.ts';
import { modelMeaning, modelMoves } from '../../server/src/registry/state.ts';
import { requestMeaning, requestMoves } from '../../server/src/requests/state.ts';

const diagram = [
  'stateDiagram-v2',
  '  [*] --> validating',
  ...moves.map(({ from, to, when }) => `  ${from} --> ${to}: ${when.replaceAll(/[;:]/g, ',')}`),
  ...batchStatuses.filter(terminal).map((status) => `  ${status} --> [*]`),
].join('\n');

const page = (): string => `# States

Written from \`state.ts\` of the rooms by \`npm run derive\`.

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
${requestStates.map((state) => `| \`${state}\` | ${requestMeaning[state].means} | ${requestMeaning[state].counted ?? '–'} | ${requestMeaning[state].line ?? '–'} |`).join('\n')}

| from | to | when |
|---|---|---|
${requestMoves.map(({ from, to, when }) => `| \`${from}\` | \`${to}\` | ${when} |`).join('\n')}

At every final state of a batch: total = completed + failed + cancelled + expired, and each line of the input is in
exactly one of the two files.

## A job
A job is in the same states as a request; the differences are in how it moves.

| from | to | when |
|---|---|---|
${jobMoves.map(({ from, to, when }) => `| \`${from}\` | \`${to}\` | ${when} |`).join('\n')}

## A version of a model

| status | it |
|---|---|
${modelStatuses.map((status) => `| \`${status}\` | ${modelMeaning[status]} |`).join('\n')}

| from | to | when |
|---|---|---|
${modelMoves.map(({ from, to, when }) => `| \`${from}\` | \`${to}\` | ${when} |`).join('\n')}

One that other servers answer for begins as \`ready\`; one that needs a file, as \`pending\`.
`;

export const derive = (): Promise<Record<string, string>> => Promise.resolve({ 'docs/states.md': page() });
