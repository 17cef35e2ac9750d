import { BlockList } from 'node:net';
import type { Balancer } from '../topology/topology.ts';
import { type Finding, sayCommand, tryCase } from './case.ts';
import { LOOPBACK } from './side-balancer.ts';
import { proxyOf, testedSites } from './sites.ts';
import type { Suite, SuiteContext } from './suite.ts';
import { type Echo, sayTwin, type Twin, withTwin } from './twin.ts';

const NAME = 'headers';
/** What a client may claim; an address that nobody has (RFC 5737). */
const CLAIMED = '203.0.113.7';

interface Field {
  readonly name: string;
  /** Whether what a server sees is right: all fields of that name, in order. */
  readonly holds: (values: readonly string[]) => boolean;
  readonly expected: string;
}

/** What the configuration that lablb writes sets, for a client at this address. */
export function expectedFields({ forwardFor, tls }: Balancer, client: string): Field[] {
  const scheme = tls?.redirect ? 'https' : 'http';
  return [
    {
      name: 'X-Client-IP',
      holds: (values) => values.length === 1 && values[0] === client,
      expected: `${client}, and nothing that the client claims`,
    },
    ...(forwardFor
      ? [
          isIn(client, forwardFor.except)
            ? {
                name: 'X-Forwarded-For',
                holds: (values: readonly string[]) => !values.includes(client),
                expected: `nothing from the balancer, for ${client} is in ${forwardFor.except}`,
              }
            : {
                name: 'X-Forwarded-For',
                holds: (values: readonly string[]) => values.join(',').split(',').at(-1)!.trim() === client,
                expected: `${client} at the end`,
              },
        ]
      : []),
    ...(tls
      ? [
          {
            name: 'X-Forwarded-Proto',
            holds: (values: readonly string[]) => values.length === 1 && values[0] === scheme,
            expected: scheme,
          },
        ]
      : []),
  ];
}

/** `network` is an address or `10.0.0.0/8`. */
function isIn(address: string, network: string | undefined): boolean {
  const [base, length = '32'] = network?.split('/') ?? [];
  if (base === undefined) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length));
  return list.check(address);
}

/** The servers get the client's address in the fields that the configuration sets. */
export const headers: Suite = {
  name: NAME,
  summary: 'the servers see the client’s address in X-Client-IP and X-Forwarded-For',
  how: 'On a twin, whose servers answer with the request as they got it: once as a client sends it, and once with fields that claim another address. X-Client-IP must hold the client’s address alone; X-Forwarded-For must end with it, unless `balancer.forwardFor` excepts that client; with TLS, X-Forwarded-Proto must tell the scheme.',
  unfit: ({ balancer }) =>
    balancer.config && {
      reason: 'the configuration is your own: lablb does not know which header fields it should set',
    },
  run: (context) =>
    withTwin(context, {}, async (twin) => {
      sayTwin(NAME, context, twin);
      const { topology } = context.record;
      // Loopback may be excepted from X-Forwarded-For; the node's own address then tells more.
      const own = proxyOf(context).address ?? LOOPBACK;
      const client = isIn(LOOPBACK, topology.balancer.forwardFor?.except) ? own : LOOPBACK;
      const results = [];
      for (const site of testedSites(topology))
        results.push(
          await tryCase(NAME, site.name, `as its servers see them, from ${client}`, context, () =>
            trySite(twin, site.host, client, context),
          ),
        );
      return results;
    }),
};

async function trySite(
  twin: Twin,
  host: string | undefined,
  client: string,
  context: SuiteContext,
): Promise<Finding> {
  const fields = expectedFields(context.record.topology.balancer, client);
  const from = client === LOOPBACK ? undefined : client;
  const claims = Object.fromEntries(fields.map(({ name }) => [name, CLAIMED]));
  const seen: Record<string, Echo['headers']> = {};
  let failure: string | undefined;
  for (const headers of [undefined, claims]) {
    const target = twin.target({ host, headers, from });
    sayCommand(context, target);
    const echo = await twin.echo(target);
    const what = headers ? 'with claims of the client' : 'as sent by a client';
    seen[what] = echo.headers;
    for (const field of fields) {
      const values = valuesOf(echo, field.name);
      context.say(`  ${echo.server} sees ${field.name}: ${values.join(' | ') || '(nothing)'}`);
      failure ??= account(field, values, echo.server);
    }
  }
  return { proof: `${fields.map(({ name }) => name).join(' and ')} are right`, failure, data: { seen } };
}

/** What is wrong with the values of a field. */
function account(
  { name, holds, expected }: Field,
  values: readonly string[],
  server: string,
): string | undefined {
  if (holds(values)) return undefined;
  if (values.length === 0) return `${server} does not get ${name}`;
  return `${server} gets ${name}: ${values.join(' | ')}, expected ${expected}`;
}

function valuesOf({ headers }: Echo, name: string): string[] {
  return headers.flatMap(([known, value]) => (known === name.toLowerCase() ? [value] : []));
}
