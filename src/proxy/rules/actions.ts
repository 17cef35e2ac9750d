/** All actions of all rule sets. */
import type { ActionRow } from '../expressions.ts';
import { CONTROL_ACTIONS } from './control.ts';
import { HEADER_ACTIONS } from './headers.ts';
import { REDIRECT_ACTION } from './redirect.ts';
import { REPLY_ACTIONS } from './reply.ts';
import { TARGET_ACTIONS } from './target.ts';
import { VARIABLE_ACTIONS } from './variables.ts';

export const ACTIONS: readonly ActionRow[] = [
  ...HEADER_ACTIONS,
  ...TARGET_ACTIONS,
  ...REPLY_ACTIONS,
  REDIRECT_ACTION as ActionRow,
  ...VARIABLE_ACTIONS,
  ...CONTROL_ACTIONS,
];

/** Actions that HAProxy has and this engine has not. Names with a `*` at the end stand for all that begin so. */
export const UNSUPPORTED_ACTIONS: readonly string[] = `
  add-acl add-headers-bin attach-srv cache-store cache-use del-acl del-headers-bin del-map do-log do-resolve early-hint
  expect-netscaler-cip lua.* normalize-uri pause sc-add-gpc sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0
  send-spoe-group set-bandwidth-limit set-bc-mark set-bc-tos set-dst set-dst-port set-fc-mark set-fc-tos set-headers-bin
  set-map set-pool-size set-retries set-src set-src-port set-timeout switch-mode track-sc* use-service wait-for-body
`
  .trim()
  .split(/\s+/);
