import { defineConfig } from 'vitest/config';

/** `npm run test:lxd`: labs on a real LXD, in a sandbox of its own. Needs root and the packages of test/sandbox. */
export default defineConfig({
  test: {
    include: ['test/lxd/*.e2e.ts'],
    globalSetup: ['test/support/build.ts', 'test/lxd/sandbox.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // One daemon, one LAN, two cores.
    fileParallelism: false,
    env: { NO_COLOR: '1' },
  },
});
