import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, LabError } from '../errors.ts';

/**
 * The engine's executable: `build/lablb-proxy` of this package, or what LABLB_ENGINE names: it takes HAProxy's
 * flags, so a real HAProxy can take its place in any lab.
 *
 * @throws LabError `engine.missing` when it is not there or cannot be run.
 */
export function enginePath(env: NodeJS.ProcessEnv = process.env): string {
  const path = env.LABLB_ENGINE
    ? resolve(env.LABLB_ENGINE)
    : fileURLToPath(new URL('../../build/lablb-proxy', import.meta.url));
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch (cause) {
    throw new LabError(`the engine is not there: ${path}`, {
      code: 'engine.missing',
      exit: EXIT.missing,
      hints: env.LABLB_ENGINE
        ? ['unset LABLB_ENGINE, or let it name an executable that takes the flags of HAProxy']
        : ['npm run build', 'LABLB_ENGINE=/usr/sbin/haproxy lablb …   (a real HAProxy in its place)'],
      cause,
    });
  }
}
