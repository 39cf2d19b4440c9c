import { defineConfig } from 'vitest/config';

/** Of `npm run screens` alone: it writes pictures, and is no test of any suite. */
export default defineConfig({
  test: { globalSetup: ['server/test/support/postgres.ts'], include: ['portal/test/screens.ts'], disableConsoleIntercept: true },
});
