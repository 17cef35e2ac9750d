import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,mjs}'],
    // Builds what is older than its sources: end-to-end tests run the real executables.
    globalSetup: ['test/support/build.ts'],
    // Two busy cores run many real processes: a limit is for what hangs, not for what is slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real processes beside workers: as many as there are cores leaves none for them.
    maxWorkers: 3,
    env: { NO_COLOR: '1' },
  },
});
