import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests beside the sources of these rooms, and those in any folder of server/test that are named after one of them. */
const of = (rooms: string): string[] => [`server/src/{${rooms}}/**/*.test.ts`, `server/test/*/{${rooms}}{,-*}.test.ts`];

const others = [
  {
    name: 'scheduler',
    include: [
      ...of('policy,simulate,quotas,bulk,deadletters,completion,scheduler,fleet,dedup'),
      'server/src/workers/*.test.ts',
      'server/test/compat/redrive.test.ts',
      'server/test/crash/{chaos,contention,escalation,notice,schedulers}.test.ts',
      'cli/src/{completion,loadtest/*}.test.ts',
    ],
  },
  {
    name: 'models',
    include: [
      ...of('models,registry,cache,jobs,vetting,predictions,oip,passthrough,openai,upstream'),
      'server/src/executors/**/*.test.ts',
      'server/src/http/predict.test.ts',
      'server/test/flow/molecules.test.ts',
      'cli/src/{job,model,vet}.test.ts',
      'server/test/models/**/*.test.ts',
    ],
  },
  {
    name: 'science',
    include: [
      ...of('chemistry,screens,tables,results,routes'),
      'cli/src/{molecule,route,screen}.test.ts',
      'cli/src/quickstart/**/*.test.ts',
      'server/test/science/**/*.test.ts',
    ],
  },
  { name: 'portal', include: [...of('portal'), 'portal/**/*.test.{ts,tsx}', 'server/test/portal/**/*.test.ts'] },
];

/** What no other suite takes is the engine's. */
export const suites: { name: string; include: string[]; exclude: string[] }[] = [
  {
    name: 'engine',
    include: ['contract/src/**/*.test.ts', 'server/**/*.test.ts', 'cli/src/**/*.test.ts'],
    exclude: others.flatMap(({ include }) => include),
  },
  ...others.map((suite) => ({ ...suite, exclude: [] })),
];

/** One project a suite: `npm test -- engine` runs that one. */
export default defineConfig({
  test: {
    globalSetup: ['server/test/support/postgres.ts'],
    setupFiles: ['server/test/support/coverage.ts'],
    // Files beside each other, also on two processors: much of what tests do is to wait. Of one file at most three tests,
    // each of which may have four processes and a database.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    maxConcurrency: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Nothing here is about how quick the machine is: what is waited for may take its time, and a test that hangs ends.
    expect: { poll: { timeout: 30_000, interval: 20 } },
    // Roles run as processes of their own in many tests; what they run counts.
    coverage: {
      provider: 'v8',
      autoAttachSubprocess: true,
      reportOnFailure: true,
      include: ['server/src/**/*.ts'],
      reporter: ['text', 'html', 'json-summary'],
    },
    projects: suites.map(({ name, include, exclude }) => ({
      extends: true,
      test: { name, include, exclude: ['**/node_modules/**', ...exclude] },
    })),
  },
});
