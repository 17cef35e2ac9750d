/** The form of the statistics page: what can be done to the servers that were ticked. */
import { FORCED_HEALTH } from '../health/counter.ts';
import { shutdownSessions } from '../health/followers.ts';
import type { LiveProxy, Server } from '../model.ts';

interface ActionRow {
  /** Value of `action`, as HAProxy's form sends it. */
  readonly keyword: string;
  readonly title: string;
  /** Whether it could be done. */
  run(server: Server, proxy: LiveProxy): boolean;
}

const noAgent = () => false;

export const ACTIONS: readonly ActionRow[] = [
  { keyword: 'ready', title: 'Set state to READY', run: (server) => done(server.setAdmin('ready')) },
  { keyword: 'drain', title: 'Set state to DRAIN', run: (server) => done(server.setAdmin('drain')) },
  { keyword: 'maint', title: 'Set state to MAINT', run: (server) => done(server.setAdmin('maint')) },
  { keyword: 'dhlth', title: 'Health: disable checks', run: (server) => switchChecks(server, false) },
  { keyword: 'ehlth', title: 'Health: enable checks', run: (server) => switchChecks(server, true) },
  {
    keyword: 'hrunn',
    title: 'Health: force UP',
    run: (server) => done(FORCED_HEALTH.up(server)),
  },
  {
    keyword: 'hnolb',
    title: 'Health: force NOLB',
    run: (server) => done(FORCED_HEALTH.stopping(server)),
  },
  {
    keyword: 'hdown',
    title: 'Health: force DOWN',
    run: (server) => done(FORCED_HEALTH.down(server)),
  },
  { keyword: 'dagent', title: 'Agent: disable checks', run: noAgent },
  { keyword: 'eagent', title: 'Agent: enable checks', run: noAgent },
  { keyword: 'arunn', title: 'Agent: force UP', run: noAgent },
  { keyword: 'adown', title: 'Agent: force DOWN', run: noAgent },
  {
    keyword: 'shutdown',
    title: 'Kill Sessions',
    run: (server, proxy) => done(shutdownSessions(proxy, (each) => each === server)),
  },
];

/** How it ended, as `;st=` tells the page after the redirect; with its colour and words. */
export const OUTCOMES = {
  DONE: { colour: 'active_up', text: 'Action processed successfully.' },
  NONE: { colour: 'active_going_down', text: 'Nothing has changed.' },
  PART: { colour: 'active_going_down', text: 'Action partially processed: some servers are not known here.' },
  ERRP: { colour: 'active_down', text: 'Action not processed: no such action, backend or server.' },
  EXCD: {
    colour: 'active_down',
    text: 'Action not processed: too much was sent. Try fewer servers at a time.',
  },
  DENY: { colour: 'active_down', text: 'Action denied.' },
} as const;
export type ActionOutcome = keyof typeof OUTCOMES;

/** Does what a form asks: `s` (servers, repeated), `action`, `b` (backend, by name or `#number`). */
export function runAction(proxy: LiveProxy, form: URLSearchParams): ActionOutcome {
  const names = form.getAll('s');
  const wanted = form.get('action') ?? '';
  if (wanted === '' || names.length === 0) return 'NONE';
  const action = ACTIONS.find((row) => row.keyword === wanted);
  const named = form.get('b');
  const backend = proxy.backends.find((b) => b.name === named || `#${b.settings.id}` === named);
  if (action === undefined || backend === undefined) return 'ERRP';
  const servers = names.map((name) => backend.servers.find((server) => server.name === name));
  const known = servers.filter((server) => server !== undefined);
  if (known.length === 0) return 'ERRP';
  const altered = known.filter((server) => action.run(server, proxy)).length;
  if (known.length < servers.length) return altered === 0 ? 'ERRP' : 'PART';
  return altered === 0 ? 'NONE' : 'DONE';
}

function switchChecks(server: Server, enabled: boolean): boolean {
  if (!server.settings.check) return false;
  server.check.enabled = enabled;
  return true;
}

function done(_result: unknown): true {
  return true;
}
