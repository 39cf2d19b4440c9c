import { defineConfig } from 'vitest/config';

/** Of `npm run screens` and `npm run lighthouse`: pictures and figures, and no tests of any suite. */
export default defineConfig({
  test: {
    globalSetup: ['server/test/support/postgres.ts'],
    include: ['portal/test/{screens,lighthouse}.ts'],
    disableConsoleIntercept: true,
  },
});
