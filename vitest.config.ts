import { defineConfig } from 'vitest/config';

/** One project a suite: `npm test -- engine` runs that one. */
export default defineConfig({
  test: {
    globalSetup: ['server/test/support/postgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Roles run as processes of their own in many tests; what they run counts.
    coverage: { provider: 'v8', autoAttachSubprocess: true, include: ['server/src/**/*.ts'], reporter: ['text', 'html', 'json-summary'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'engine',
          include: ['contract/src/**/*.test.ts', 'server/src/**/*.test.ts', 'server/test/**/*.test.ts', 'cli/src/**/*.test.ts'],
        },
      },
    ],
  },
});
