import { familyOf } from '../../os/families.ts';
import { MACVLAN_FILES } from '../../os/macvlan.ts';
import type { DesiredNode } from '../../plan/desired.ts';
import { configWord } from '../../render/config-word.ts';
import type { Wish } from '../../roles/desire.ts';
import { quote } from '../../text.ts';
import type { Topology, TopologyNode } from '../../topology/topology.ts';
import { NOTE } from '../machine/note.ts';
import type { FileSpec } from '../provider.ts';
import { profileSteps } from './macvlan.ts';
import {
  certificateLines,
  keepLines,
  PASSWORD_VARIABLE,
  passwordLines,
  tlsSource,
} from './script-credentials.ts';
import { type Device, deviceStep, instanceSettings, type LxdSettings, NODE, OWNER } from './settings.ts';

/** What stands for an address, or for the password, while files are rendered that know neither yet. */
export const addressToken = (node: string): string => `LABLB-ADDRESS-OF-${node}-`;
/** One that the configuration quotes just as it quotes the password. */
export const passwordToken = (password: string): string =>
  configWord(password) === password ? PLAIN_TOKEN : QUOTED_TOKEN;
const PLAIN_TOKEN = 'LABLB-STATS-PASSWORD-';
const QUOTED_TOKEN = 'LABLB#STATS#PASSWORD#';
const QUOTED_VARIABLE = 'STATS_PASSWORD_QUOTED';

export interface ScriptParts {
  readonly topology: Topology;
  readonly settings: LxdSettings;
  readonly command: string;
  readonly wish: Wish;
  /** The NIC of the macvlan profile; undefined on a bridge. */
  readonly nic: Device | undefined;
}

/**
 * A lab as a shell script of plain `lxc` commands: what `lablb up` does, typed by hand. Run with bash on a host without
 * the lab it makes one in which `lablb up` finds nothing to do.
 */
export function labScript(parts: ScriptParts): string {
  const { topology, wish } = parts;
  const pairs = wish.desired.nodes.map((desired, i) => ({ desired, node: topology.nodes[i]! }));
  const files = (name: string): FileSpec[] => [...wish.files.get(name)!.values()];
  const sections: (readonly [string, readonly string[]])[] = [
    ...(parts.nic
      ? [['The LAN: a profile whose eth0 is a macvlan interface', profile(parts, parts.nic)] as const]
      : []),
    ...pairs.map(({ node }) => [`Make ${node.name}`, make(parts, node, files(node.name))] as const),
    ['Wait for their addresses', pairs.map(({ node }) => `${variable(node.name)}=$(address ${node.name})`)],
    ['Certificates', certificateLines(topology, variable)],
    ...pairs
      .filter(({ desired }) => desired.packages.length > 0)
      .map(
        ({ desired }) =>
          [`Install on ${desired.name}: ${desired.packages.join(', ')}`, install(desired)] as const,
      ),
    ...pairs.map(({ node }) => [`Files of ${node.name}`, put(parts, node.name, files(node.name))] as const),
    ...pairs
      .filter(({ desired }) => desired.services.length > 0)
      .map(
        ({ desired }) =>
          [
            `Start ${desired.services.map(({ name }) => name).join(', ')} on ${desired.name}`,
            start(desired),
          ] as const,
      ),
    ['What lablb keeps of it', keepLines(topology)],
  ];
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines], i) => `# ── ${i + 1}. ${title} ──\n\n${lines.join('\n')}\n`);
  return `${[preamble(parts), ...body, ending(parts)].join('\n')}`;
}

function preamble({ topology, settings, command, nic }: ScriptParts): string {
  const project = settings.project ? ` --project ${settings.project}` : '';
  const lxc =
    command === 'lxc' && !project
      ? ''
      : `\n# Every command below goes through this.\nlxc() { command ${command}${project} "$@"; }\n`;
  const password = passwordLines(topology.balancer);
  const secret =
    password.length === 0
      ? ''
      : `\n${password.join('\n')}\n# The same between the single quotes of a haproxy.cfg.\nq="'\\''"\n${QUOTED_VARIABLE}=\${${PASSWORD_VARIABLE}//\\'/"$q"}\n`;
  const limit = nic
    ? `# On macvlan eth0 is brought up by cron and dhclient, or by what a system has of its own. A node whose system has neither
# (Rocky Linux 10) stays without an address here; \`lablb up\` gives it a DHCP client, and goes on from there.\n`
    : '';
  return `#!/bin/bash
# Lab '${topology.name}' by hand: what \`lablb up\` does, as plain commands. For a host that does not have the lab yet.
# Afterwards \`lablb up\` finds nothing to do; from then on \`lablb test\` tests it, \`lablb down\` takes it away.
${limit}set -euo pipefail

# The client reads standard input; it must not swallow this script.
exec </dev/null
${lxc}${secret}
# The IPv4 address of a node's eth0, once it has one.
address() {
  local found
  for _ in $(seq 60); do
    found=$(lxc list "${at(settings, '')}^$1\\$" --format csv --columns 4 | tr ',' '\\n' | sed -n 's/^"\\{0,1\\}\\([0-9.]*\\) (eth0).*/\\1/p')
    if [ -n "$found" ]; then echo "$found"; return; fi
    sleep 0.5
  done
  echo "$1: no address after 30 s${nic ? '; without cron and dhclient it needs \\`lablb up\\`' : ''}" >&2
  return 1
}

# lablb remembers what it wrote by its hash: with this a later \`lablb up\` knows these files for its own.
# remember NODE KIND LAB PATH…
remember() {
  lxc exec "$1" -T -- sh -c '
    kind=$1 lab=$2; shift 2
    mkdir -p /var/lib/lablb/pushed
    for path; do
      if [ "$kind" = block ]; then
        hash=$(sed -n "/^# >>> lablb $lab\\$/,/^# <<< lablb $lab\\$/p" "$path" | sha256sum); about="$lab -"
      else hash=$(sha256sum <"$path"); about=$(stat -c "%s %Z" "$path"); fi
      echo "\${hash%% *} $kind $about $path" >"/var/lib/lablb/pushed/$(printf %s "\${path#/}" | tr / :)"
    done' sh "\${@:2}"
}
`;
}

function profile({ topology, settings }: ScriptParts, nic: Device): string[] {
  return profileSteps(nic, topology.name, (name) => at(settings, name)).map(lxc);
}

function make(
  { topology, settings, nic }: ScriptParts,
  node: TopologyNode,
  files: readonly FileSpec[],
): string[] {
  const wanted = instanceSettings(topology, node);
  const config = { [OWNER]: topology.name, [NODE]: node.name, ...wanted.config };
  const name = at(settings, node.name);
  const options = [
    ...wanted.profiles.flatMap((one) => ['--profile', one]),
    ...Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]),
    ...(wanted.vm ? ['--vm'] : []),
    ...(settings.storage ? ['--storage', settings.storage] : []),
    ...(settings.target ? ['--target', settings.target] : []),
  ];
  const devices = Object.entries(wanted.devices).map(([device, settings]) =>
    lxc(deviceStep(name, device, settings)),
  );
  const early = files.filter(({ path }) => nic && MACVLAN_FILES.some((one) => one.path === path));
  return [
    lxc(['init', wanted.image, name, ...options]),
    ...devices,
    ...(early.length > 0
      ? ['# In place before the first start: eth0 gets its address at boot, and nothing has to be restarted.']
      : []),
    ...early.map((file) => {
      const push = ['file', 'push', '--create-dirs', '--mode', octal(file), '-', `${name}${file.path}`];
      return `echo ${quote(String(file.content).trimEnd())} | ${lxc(push)}`;
    }),
    lxc(['start', name]),
  ];
}

function install({ name, family, packages }: DesiredNode): string[] {
  return familyOf(family)
    .typed(packages)
    .map((argv) => lxc(['exec', name, '-T', '--', ...argv]));
}

function put({ topology, settings }: ScriptParts, node: string, files: readonly FileSpec[]): string[] {
  const name = at(settings, node);
  const blocks = files.filter((file) => file.block !== undefined);
  const large = files.filter((file) => file.source !== undefined);
  const whole = files.filter((file) => file.block === undefined && file.source === undefined);
  const note = '/var/lib/lablb/note';
  return [
    ...blocks.map(
      (file) =>
        `${lxc(['exec', name, '-T', '--', 'sh', '-c', `cat >>${file.path}`])} ${hereDocument(String(file.content), topology)}`,
    ),
    ...whole.flatMap((file) => [
      ...(file.keepOriginal
        ? [
            lxc([
              'exec',
              name,
              '-T',
              '--',
              'sh',
              '-c',
              `if [ -e ${file.path} ]; then cp -p ${file.path} ${file.path}.orig; fi`,
            ]),
          ]
        : []),
      pushed(file, name, topology),
    ]),
    ...large.map((file) =>
      lxc([
        'file',
        'push',
        '--quiet',
        '--create-dirs',
        '--mode',
        octal(file),
        file.source!,
        `${name}${file.path}`,
      ]),
    ),
    '# Notes what a service has read when it starts; the units call it.',
    `${lxc(['file', 'push', '--quiet', '--create-dirs', '--mode', '755', '-', `${name}${note}`])} ${hereDocument(`${NOTE}\n`, topology)}`,
    ...blocks.map((file) => `remember ${name} block ${file.block} ${file.path}`),
    ...(whole.length > 0
      ? [`remember ${name} file - \\\n  ${whole.map((file) => file.path).join(' \\\n  ')}`]
      : []),
    ...large.map((file) => `remember ${name} large - ${file.path}`),
  ];
}

function pushed(file: FileSpec, node: string, topology: Topology): string {
  const push = (source: string): string =>
    `lxc file push --quiet --create-dirs --mode ${octal(file)} ${source} ${quote(`${node}${file.path}`)}`;
  const source = tlsSource(file.path);
  return source ? push(source) : `${push('-')} ${hereDocument(String(file.content), topology)}`;
}

function start({ name, services }: DesiredNode): string[] {
  return [
    lxc(['exec', name, '-T', '--', 'systemctl', 'daemon-reload']),
    ...services.flatMap((service) => [
      lxc(['exec', name, '-T', '--', 'systemctl', 'enable', service.name]),
      lxc(['exec', name, '-T', '--', 'systemctl', 'restart', service.name]),
    ]),
  ];
}

function ending({ topology, wish }: ScriptParts): string {
  const proxy = wish.desired.nodes.find((node) => node.role === 'proxy');
  if (!proxy) return '';
  const host = topology.balancer.sites[0]?.host;
  const { port } = topology.balancer;
  const url = `http://$${variable(proxy.name)}${port === 80 ? '' : `:${port}`}/`;
  const { stats } = topology.balancer;
  const password = `echo "statistics: user ${stats?.user}, password $${PASSWORD_VARIABLE}"\n`;
  return [
    `echo "try: lxc exec ${proxy.name} -- curl -s${host ? ` -H 'Host: ${host}'` : ''} ${url}"\n`,
    ...(stats?.user !== undefined && stats.password === undefined ? [password] : []),
  ].join('');
}

/** Standard input: `<<'END'` with the text, or with variables in it where addresses belong. */
function hereDocument(text: string, { nodes }: Topology): string {
  const tokens = new Map([
    ...nodes.map(({ name }) => [addressToken(name), `\${${variable(name)}}`] as const),
    [PLAIN_TOKEN, `\${${PASSWORD_VARIABLE}}`],
    [QUOTED_TOKEN, `\${${QUOTED_VARIABLE}}`],
  ]);
  const used = [...tokens].filter(([token]) => text.includes(token));
  const filled = (escaped: string): string =>
    used.reduce((all, [token, name]) => all.replaceAll(token, name), escaped);
  // A here-document always ends a line, and a file need not.
  if (!text.endsWith('\n') && text !== '')
    return `< <(printf %s "${filled(text.replaceAll(/[\\$`"]/g, '\\$&'))}")`;
  const end = endOf(text);
  if (used.length === 0) return `<<'${end}'\n${text}${end}`;
  return `<<${end}\n${filled(text.replaceAll(/[\\$`]/g, '\\$&'))}${end}`;
}

/** `END`, or longer where the text has such a line itself. */
function endOf(text: string): string {
  const lines = new Set(text.split('\n'));
  let end = 'END';
  while (lines.has(end)) end += '_';
  return end;
}

function lxc(args: readonly string[]): string {
  return ['lxc', ...args.map(quote)].join(' ');
}

function at({ remote }: LxdSettings, name: string): string {
  return remote ? `${remote}:${name}` : name;
}

function variable(node: string): string {
  return `address_${node.replaceAll('-', '_')}`;
}

function octal({ mode = 0o644 }: FileSpec): string {
  return `0${mode.toString(8)}`;
}
