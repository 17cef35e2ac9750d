/** `observe layer4|layer7`: what real traffic tells of a server's health (configuration manual, `observe`). */
import type { Server } from '../model.ts';

/** What became of an attempt to use a server. */
export interface ObservedOutcome {
  readonly description: string;
  /** What it means to `observe layer4` and `observe layer7`: true is well, false an error, undefined says nothing. */
  readonly layer4: boolean | undefined;
  readonly layer7: boolean | undefined;
}

export const OBSERVED = {
  connected: { description: 'L4 successful connection', layer4: true, layer7: undefined },
  notConnected: { description: 'L4 unsuccessful connection', layer4: false, layer7: false },
  /** An answer with a status below 500, or 501 or 505. */
  answered: { description: 'Correct http response', layer4: undefined, layer7: true },
  wrongStatus: { description: 'Wrong http response', layer4: undefined, layer7: false },
  invalidHead: { description: 'Invalid http response (headers)', layer4: undefined, layer7: false },
  invalidAnswer: { description: 'Invalid http response', layer4: undefined, layer7: false },
  readError: { description: 'Read error (http)', layer4: undefined, layer7: false },
  readTimeout: { description: 'Read timeout (http)', layer4: undefined, layer7: false },
  closed: { description: 'Close from server (http)', layer4: undefined, layer7: false },
} as const satisfies Record<string, ObservedOutcome>;

/** The row of a whole HTTP answer. */
export function observedStatus(status: number): ObservedOutcome {
  return status < 500 || status === 501 || status === 505 ? OBSERVED.answered : OBSERVED.wrongStatus;
}

const DEFAULT_LIMIT = 10;

/** What `on-error` does to the health before the failure is counted. `fastinter` counts none. */
const ON_ERROR: Readonly<Record<string, (server: Server) => boolean>> = {
  fastinter: () => false,
  'fail-check': () => true,
  'sudden-death': (server) => {
    if (server.health > server.settings.rise) server.health = server.settings.rise + 1;
    return true;
  },
  'mark-down': (server) => {
    server.health = server.settings.rise;
    return true;
  },
};

/** Counts errors in a row; at `error-limit` calls `failed`. Undefined when the server is not observed. */
export function observer(
  server: Server,
  failed: (info: string, asFailure: boolean) => void,
): ((outcome: ObservedOutcome) => void) | undefined {
  const { observe, errorLimit = DEFAULT_LIMIT, onError = 'fail-check' } = server.settings;
  if (observe === undefined) return undefined;
  const { check } = server;
  return (outcome) => {
    const well = outcome[observe];
    if (well === undefined || !check.enabled || server.admin === 'maint') return;
    if (well) {
      check.consecutiveErrors = 0;
      return;
    }
    if (++check.consecutiveErrors < errorLimit) return;
    const info = `Detected ${check.consecutiveErrors} consecutive errors, last one was: ${outcome.description}`;
    check.consecutiveErrors = 0;
    check.observedFailures++;
    failed(info, ON_ERROR[onError]!(server));
  };
}
