import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,mjs}'],
    // Builds what is older than its sources: end-to-end tests run the real executables.
    globalSetup: ['test/support/build.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Real processes beside workers: as many as there are cores leaves none for them.
    maxWorkers: 3,
    env: { NO_COLOR: '1' },
  },
});
