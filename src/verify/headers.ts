import { type Finding, sayCommand, tryCase } from './case.ts';
import { testedSites } from './sites.ts';
import type { Suite, SuiteContext } from './suite.ts';
import { type Echo, sayTwin, type Twin, withTwin } from './twin.ts';

const NAME = 'headers';
const CLIENT = '127.0.0.1';
/** What a client may claim; an address that nobody has (RFC 5737). */
const CLAIMED = '203.0.113.7';

interface Field {
  readonly name: string;
  /** What a server may see of it, all fields of that name in order. */
  readonly holds: (values: readonly string[]) => boolean;
  readonly expected: string;
}

const FIELDS: readonly Field[] = [
  {
    name: 'X-Client-IP',
    holds: (values) => values.length === 1 && values[0] === CLIENT,
    expected: `${CLIENT}, and nothing that the client claims`,
  },
  {
    name: 'X-Forwarded-For',
    holds: (values) => values.join(',').split(',').at(-1)!.trim() === CLIENT,
    expected: `${CLIENT} at the end`,
  },
];

/** The servers get the client's address in the fields that the configuration sets. */
export const headers: Suite = {
  name: NAME,
  summary: 'the servers see the client’s address in X-Client-IP and X-Forwarded-For',
  how: 'On a twin, whose servers answer with the request as they got it: once as a client sends it, and once with fields that claim another address. X-Client-IP must hold the client’s address alone; X-Forwarded-For must end with it.',
  unfit: ({ balancer }) =>
    balancer.config && {
      reason: 'the configuration is your own: lablb does not know which header fields it should set',
    },
  run: (context) =>
    withTwin(context, {}, async (twin) => {
      const results = [];
      for (const site of testedSites(context.record.topology))
        results.push(
          await tryCase(NAME, site.name, `as its servers see them`, context, () =>
            trySite(twin, site.host, context),
          ),
        );
      return results;
    }),
};

async function trySite(twin: Twin, host: string | undefined, context: SuiteContext): Promise<Finding> {
  sayTwin(context, twin);
  const claims = Object.fromEntries(FIELDS.map(({ name }) => [name, CLAIMED]));
  const seen: Record<string, Echo['headers']> = {};
  let failure: string | undefined;
  for (const headers of [undefined, claims]) {
    const target = twin.target({ host, headers });
    sayCommand(context, target);
    const echo = await twin.echo(target);
    const what = headers ? 'with claims of the client' : 'as sent by a client';
    seen[what] = echo.headers;
    for (const field of FIELDS) {
      const values = valuesOf(echo, field.name);
      context.say(`  ${echo.server} sees ${field.name}: ${values.join(' | ') || '(nothing)'}`);
      failure ??= account(field, values, echo.server);
    }
  }
  return { proof: `the client's address, ${CLIENT}, is there`, failure, data: { seen } };
}

/** What is wrong with the values of a field. */
function account(
  { name, holds, expected }: Field,
  values: readonly string[],
  server: string,
): string | undefined {
  if (values.length === 0) return `${server} does not get ${name}`;
  return holds(values) ? undefined : `${server} gets ${name}: ${values.join(' | ')}, expected ${expected}`;
}

function valuesOf({ headers }: Echo, name: string): string[] {
  return headers.flatMap(([known, value]) => (known === name.toLowerCase() ? [value] : []));
}
