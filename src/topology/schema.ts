import * as z from 'zod';
import { DAY_MS, DURATION, milliseconds } from './duration.ts';

/**
 * The topology file, declared once: what a key holds, what it is when left out, and what it means. The check of a
 * file, its defaults, the JSON schema for editors (`lablb schema`) and docs/topology.md all come from here.
 * What spans several keys (names taken twice, servers that do not exist, ports that clash) is in resolve.ts.
 */

/** Length of a DNS label and of a whole name: RFC 1035, section 2.3.4. */
const MAX_HOST_NAME = 253;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
export const HOST_NAME = new RegExp(`^(?=.{1,${MAX_HOST_NAME}}$)${LABEL}(?:\\.${LABEL})*$`);
/** A name that a container, a host and a folder can all have: an RFC 1123 label that begins with a letter. */
export const NODE_NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** `[user@]host[:port]`. */
const JUMP = /^(?:[\w][\w.+-]*@)?[A-Za-z0-9][\w.-]*(?::\d{1,5})?$/;
/** An IPv4 address, or a network as `127.0.0.0/8`. */
const NETWORK = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\/|$)|(?=\/|$))){4}(?:\/(?:3[0-2]|[12]?\d))?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

const nodeName = z
  .string()
  .regex(
    NODE_NAME,
    'unfit for a host: use lower-case letters, digits and dashes, a letter first, 63 at most',
  );
const hostName = z
  .string()
  .regex(
    HOST_NAME,
    'unfit for a host: use letters, digits and dashes in labels of 63 at most, joined by dots',
  );
/** Names may hold `{n}`, the node's number when `count` makes several. */
const numberedHostName = z
  .string()
  .refine(
    (name) => HOST_NAME.test(name.replaceAll('{n}', '1')),
    'unfit for a host (letters, digits, dashes, dots)',
  );
const port = z.int().min(1).max(65535);
/** One line of text: nothing that could end a line of a configuration or of /etc/hosts. */
const line = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\x00-\x1f\x7f\u2028\u2029]*$/, 'must be one line, without control characters');
const word = line.regex(/^[\w.:@/+-]+$/, 'may hold letters, digits and . : @ / + - _ only');
/** Not an option (`-rf`) when it becomes a word of a command. */
const safeWord = word.regex(/^[^-]/, 'must not begin with a dash');
const unixPath = line.regex(
  /^\/[^\s"'\\;]*$/, // after ';' rsyslog reads the name of a template
  'must be an absolute path without spaces, quotes, semicolons or backslashes',
);
/** As a request line has it: a browser keeps what follows `#` to itself, and sends other letters as `%C3%A9`. */
const url = line.regex(
  /^\/[!"$-~]*$/,
  "must begin with '/' and hold no spaces, no '#', no letters such as 'é'",
);
/** Milliseconds: a number, or a number with its unit. */
const duration = z
  .union([
    z.int().min(0).max(DAY_MS),
    z.string().regex(DURATION, "must be a time such as '500ms', '2s', '1m'"),
  ])
  .transform(milliseconds)
  .refine((ms) => ms <= DAY_MS, 'must not be longer than a day');

/** A number of CPUs, or which: `0-1`, `0,2-3`. */
const cpus = z.string().regex(/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/, "must be CPUs such as 2, '0-1', '0,2'");
/** As LXD and Incus have it: whole numbers, and case counts. */
const memory = z
  .string()
  .regex(/^[1-9]\d{0,15}(?:[kMGTPE]?B|[KMGTPE]iB)$/, "must be memory with its unit, such as '512MiB', '2GB'");
const limits = z.strictObject({
  cpu: z
    .union([z.int().min(1), cpus])
    .optional()
    .describe('CPUs, as the provider counts them: `2`, `0-1`.'),
  memory: memory.optional().describe('Memory with its unit: `512MiB`.'),
});

/** Octal permissions, as `chmod` has them. */
const mode = z.string().regex(/^0?[0-7]{3}$/, "must be permissions such as '0644', in quotes");
const file = z.union([
  z.string().max(1_000_000),
  z.strictObject({
    content: z.string().max(1_000_000).optional().describe('What is in the file.'),
    from: line.optional().describe('A file beside the topology that is copied.'),
    mode: mode.default('0644').describe('Its permissions.'),
  }),
]);

const provider = z.enum(['local', 'lxd', 'ssh']);
const role = z.enum(['web', 'proxy', 'client', 'dns']);
const webServers = ['httpd', 'nginx', 'embedded'] as const;
const dnsServers = ['dnsmasq', 'bind'] as const;
const server = z.enum([...webServers, ...dnsServers]);
const engine = z.enum(['lablb', 'haproxy']);

const sshShared = {
  user: safeWord.optional().describe('User to log in as.'),
  port: port.optional().describe('Port of the SSH server.'),
  key: line
    .optional()
    .describe(
      'Private key file, told from this file’s folder. Default: the agent’s keys and the usual files.',
    ),
  jump: line
    .regex(JUMP, "must be a machine such as 'jump.example.com', 'user@jump.example.com:2222'")
    .optional()
    .describe('Machine to go through: `user@host:port`, where user and port may be left out.'),
  sudo: z.boolean().optional().describe('Whether commands run under sudo. Default: unless the user is root.'),
  passwordEnv: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'must be the name of a variable, not a password')
    .optional()
    .describe('Variable of the environment that holds the password; it is asked for when that is empty.'),
};

const ssh = z.strictObject({
  ...sshShared,
  user: safeWord.default('root').describe('User to log in as.'),
  port: port.default(22).describe('Port of the SSH server.'),
  knownHosts: z
    .enum(['strict', 'accept-new'])
    .default('strict')
    .describe(
      'What becomes of a machine whose host key is not known: it is refused, or its key is taken and known from then on. A key that has changed is always refused.',
    ),
  knownHostsFile: line
    .optional()
    .describe(
      'File of known host keys, told from this file’s folder; `lab` for one of the lab’s own. Default: that of the user and the system’s.',
    ),
});

/** What a node may say, and what `defaults` may say for all of them. */
const shared = {
  server: server
    .optional()
    .describe(
      'What serves the page of a web node (`httpd`, `nginx`, `embedded`) or answers on a dns node (`dnsmasq`, `bind`). `embedded` is lablb’s own small server; provider `local` always uses its own. Default: `embedded` with provider `local`, `httpd` otherwise; `dnsmasq`.',
    ),
  engine: engine
    .optional()
    .describe('What balances on a proxy node: lablb’s own engine or a real HAProxy. Default: `lablb`.'),
  nameserver: z
    .boolean()
    .optional()
    .describe(
      'Whether the node asks the lab’s dns nodes for names, before the servers that it had (not with provider `local`). Default: `false`.',
    ),
  packages: z.array(safeWord).optional().describe('Packages to install beside what the role needs.'),
  image: safeWord.optional().describe('Image to launch (provider `lxd`). Default: `lxd.image`.'),
  vm: z
    .boolean()
    .optional()
    .describe('A virtual machine instead of a container (provider `lxd`). Default: `false`.'),
  limits: limits.optional().describe('What the node may use (provider `lxd`).'),
  profiles: z
    .array(safeWord)
    .optional()
    .describe('Profiles beside `lxd.profiles` and that of macvlan (provider `lxd`).'),
  files: z
    .record(z.string(), file)
    .optional()
    .describe('Files to write: path → content, or `{from: ./file, mode: "0600"}`.'),
  commands: z
    .array(z.string().min(1).max(10_000))
    .optional()
    .describe(
      'Shell commands that run on the node as root, in order, when it is new and when they change (not with provider `local`).',
    ),
};

const node = z.strictObject({
  role: role
    .optional()
    .describe(
      'What the node is for. Default: the role that its name begins with (`web1`, `proxyha`, `client`).',
    ),
  count: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Makes several: `web: {count: 3}` gives web1, web2, web3.'),
  title: line
    .optional()
    .describe(
      'Shown in the page of a web node; `{n}` is its number. Default: `SITE1`, `SITE2` … in the order of the file.',
    ),
  names: z
    .array(numberedHostName)
    .max(50)
    .optional()
    .describe(
      'Host names of the node for /etc/hosts, the canonical one first; `{n}` is its number. Default: its name.',
    ),
  port: port.optional().describe('Port that a web node answers on. Default: `80`.'),
  publish: z.array(port).optional().describe('Ports of a proxy node to publish on the host. Default: none.'),
  address: z
    .string()
    .regex(IPV4, "must be an IPv4 address such as '192.168.56.101'")
    .optional()
    .describe(
      'IPv4 address of the machine (provider `ssh`). With other providers a node has what they give it.',
    ),
  ssh: z
    .strictObject({
      host: hostName.optional().describe('Where its SSH server is, if elsewhere. Default: `address`.'),
      ...sshShared,
    })
    .optional()
    .describe('What differs from `ssh` for this machine (provider `ssh`).'),
  ...shared,
});

const balance = z.enum(['roundrobin', 'static-rr', 'leastconn', 'first', 'source', 'uri', 'random']);

const servers = z.array(nodeName).min(1).describe('Web nodes that serve the site, in the order of turns.');
const site = z
  .union([
    servers,
    z.strictObject({
      servers,
      aliases: z.array(hostName).default([]).describe('Other hosts that reach the same site.'),
      balance: balance.optional().describe('How one of its servers is chosen. Default: `balancer.balance`.'),
    }),
  ])
  .transform((value) => (Array.isArray(value) ? { servers: value, aliases: [], balance: undefined } : value));

const check = z.strictObject({
  type: z
    .enum(['http', 'tcp'])
    .default('http')
    .describe('`http` asks for a page and wants 2xx or 3xx; `tcp` only connects.'),
  method: z.enum(['GET', 'HEAD', 'OPTIONS']).default('GET').describe('Method of an HTTP check.'),
  path: url.default('/').describe('Page that an HTTP check asks for.'),
  host: hostName
    .optional()
    .describe('Host that an HTTP check asks for, in HTTP/1.1. Default: none, as HTTP/1.0 has it.'),
  inter: duration
    .refine((ms) => ms >= 10, 'must be 10 ms at least')
    .prefault('1s')
    .describe('Time between two checks.'),
  timeout: duration
    .refine((ms) => ms >= 10, 'must be 10 ms at least')
    .prefault('5s')
    .describe('Longest wait for the answer to a check: how soon a server that hangs is found out.'),
  rise: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Checks in a row that must succeed for a server to be up.'),
  fall: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('Checks in a row that must fail for a server to be down.'),
});

const stats = z.strictObject({
  port: port.default(8080).describe('Port of the statistics page.'),
  uri: url.default('/stats').describe('Path of the statistics page.'),
  realm: line.default('HAProxy Statistics').describe('Shown by the browser when it asks for the password.'),
  refresh: duration.prefault('5s').describe('The page reloads itself this often; `0` for never.'),
  user: line
    .regex(/^[^:]+$/, "must not hold ':'")
    .optional()
    .describe('User of the page. Default: no password is asked.'),
  password: line
    .optional()
    .describe(
      'Password of the page; best taken from the environment. Default, with a user: `up` makes one and shows it once.',
    ),
  admin: z.boolean().default(false).describe('Lets the page take servers in and out. Needs a user.'),
});

const log = z
  .strictObject({
    file: unixPath.optional().describe('File that the balancer’s own output goes to.'),
    rsyslog: unixPath.optional().describe('File that rsyslog writes from the socket /dev/log.'),
    udp: z
      .union([
        unixPath,
        z.strictObject({
          access: unixPath.describe('File of the requests (`local2.=info`).'),
          info: unixPath.describe(
            'File of what the balancer says of itself and its servers (`local2.notice`).',
          ),
        }),
      ])
      .optional()
      .describe(
        'File that rsyslog writes from UDP port 514, or two: `{access: /var/log/haproxy-access.log, info: /var/log/haproxy-info.log}`.',
      ),
  })
  .refine((value) => Object.values(value).filter((v) => v !== undefined).length <= 1, {
    message: 'name one of file, rsyslog, udp',
  });

const tls = z.strictObject({
  port: port.default(443).describe('Port that the balancer answers HTTPS on.'),
  redirect: z
    .boolean()
    .default(true)
    .describe('Sends who asks over HTTP to HTTPS. `false`: both are answered alike.'),
  days: z
    .int()
    .min(1)
    .max(825)
    .default(365)
    .describe(
      'Days that the lab’s certificate is good for; `up` makes another one before its end. Some clients take no more than 825.',
    ),
  names: z
    .array(hostName)
    .max(50)
    .default([])
    .describe(
      'Other names and IPv4 addresses that the certificate is for, beside the sites and the proxy nodes.',
    ),
  certificate: line
    .optional()
    .describe(
      'Your own certificate instead of one that lablb makes: a PEM file beside this one, with those between it and its authority, and with the key unless `key` names it.',
    ),
  key: line.optional().describe('Private key of `certificate`: a PEM file without a password.'),
  authority: line
    .optional()
    .describe('Certificate of the authority that signed `certificate`: a PEM file, for clients to trust.'),
});

/** The beginnings and endings of the tutorial, which are those of HAProxy's example configuration. */
const BEGINS = ['/static', '/images', '/javascript', '/stylesheets'];
const ENDS = ['.jpg', '.gif', '.png', '.css', '.js'];
const piece = (pattern: RegExp, message: string) => line.regex(pattern, message);
const staticFiles = z.strictObject({
  port: port.default(5000).describe('Port of the frontend.'),
  servers: z.array(nodeName).min(1).describe('Web nodes that serve the files, in the order of turns.'),
  begins: z
    .array(piece(/^\/[\w./~%+-]*$/, "must begin with '/' and hold no spaces"))
    .max(50)
    .default(BEGINS)
    .describe('Beginnings of paths that are files.'),
  ends: z
    .array(piece(/^[\w.~%+-]+$/, "must be an ending such as '.png'"))
    .max(50)
    .default(ENDS)
    .describe('Endings of paths that are files.'),
});

const forwardFor = z
  .union([
    z.boolean(),
    z.strictObject({
      except: line
        .regex(NETWORK, "must be an IPv4 address or a network such as '127.0.0.0/8'")
        .optional()
        .describe('Clients that are not named: an address or a network.'),
    }),
  ])
  .transform((value) => (value === true ? {} : value || undefined) as { except?: string } | undefined);

const balancer = z.strictObject({
  balance: balance.default('roundrobin').describe('How a server is chosen, as HAProxy’s `balance`.'),
  port: port.default(80).describe('Port that the balancer answers on.'),
  sites: z
    .record(z.string().meta({ pattern: HOST_NAME.source }), site)
    .default({})
    .describe(
      'Sites by host: `site1.example.com: [web1, web2]`. Without any, every web node serves every host.',
    ),
  check: switchable(check, true).describe(
    'Health checks of the servers. `true` for the defaults, `false` for none.',
  ),
  stats: switchable(stats, false).describe('Statistics page. `true` for the defaults, `false` for none.'),
  tls: switchable(tls, false).describe(
    'HTTPS with a certificate of the lab’s own authority, or with yours. `true` for the defaults, `false` for none.',
  ),
  static: staticFiles
    .optional()
    .describe('A second frontend, which sends requests for files to servers of their own.'),
  forwardFor: forwardFor
    .prefault(true)
    .describe(
      'Whether servers see the client’s address in X-Forwarded-For; `{except: 127.0.0.0/8}` for some not.',
    ),
  errorPages: z.boolean().default(true).describe('Whether /etc/haproxy/errors/*.http are written and used.'),
  log: log
    .prefault({ file: '/var/log/haproxy.log' })
    .describe('Where requests are logged on the proxy node: one of the three.'),
  config: line
    .optional()
    .describe(
      'Your own haproxy.cfg, beside this file: taken verbatim, or as a Handlebars template when it ends in `.hbs`.',
    ),
});

const dns = z.strictObject({
  ttl: duration.prefault('5s').describe('How long an answer may be kept; in whole seconds.'),
  forward: z
    .union([
      z.enum(['auto']),
      z.literal(false),
      z.array(z.string().regex(IPV4, "must be an IPv4 address such as '192.168.56.1'")).min(1).max(10),
    ])
    .default('auto')
    .describe(
      'Who is asked for names that are not the lab’s: the servers that the dns node had itself (`auto`), these, or nobody (`false`).',
    ),
});

const lxd = z.strictObject({
  command: z
    .enum(['auto', 'lxc', 'incus'])
    .default('auto')
    .describe('Which client to run; `auto`: what is there.'),
  image: safeWord.default('images:rockylinux/8').describe('Image of the nodes.'),
  macvlan: z
    .union([z.boolean(), safeWord])
    .default(false)
    .describe(
      'Puts the nodes on the LAN: `auto` (or `true`) for the interface of the default route, or an interface.',
    ),
  remote: safeWord.optional().describe('LXD server to use. Default: the client’s own.'),
  project: safeWord.optional().describe('LXD project. Default: the client’s own.'),
  target: safeWord.optional().describe('Cluster member to launch on.'),
  storage: safeWord.optional().describe('Storage pool.'),
  profiles: z.array(safeWord).default(['default']).describe('Profiles of every node.'),
  prepare: z
    .boolean()
    .default(true)
    .describe(
      'Nodes that are alike get their packages once: the first one installs them, the others are copies of it. Where there are four or more, an image of it is kept for the next time, under the alias `lablb/prepared/…`.',
    ),
});

export const topologySchema = z.strictObject({
  name: nodeName
    .optional()
    .describe('Name of the lab. Default: the file’s name before `.lab.yaml`, or its folder’s name.'),
  provider: provider.default('local').describe('What the lab runs on; `--provider` stands above it.'),
  defaults: z.strictObject(shared).prefault({}).describe('What nodes have that do not say it themselves.'),
  nodes: z
    .record(z.string().meta({ pattern: NODE_NAME.source }), node)
    .default({})
    .describe('Nodes by name. Without a proxy node there is one, `proxyha`.'),
  balancer: balancer.prefault({}).describe('What the proxy nodes do.'),
  dns: dns.prefault({}).describe('What the dns nodes do.'),
  lxd: lxd.prefault({}).describe('Settings of provider `lxd`.'),
  ssh: ssh.prefault({}).describe('Settings of provider `ssh`.'),
});

/** A topology file with the schema's defaults filled in. */
export type Settings = z.output<typeof topologySchema>;
export type NodeSettings = Settings['nodes'][string];

/** The roles and the providers there are. */
export const ROLES = role.options;
export const PROVIDERS = provider.options;
/** What may stand for `server` on a node of a role. */
export const SERVERS = { web: webServers, dns: dnsServers } as const;

/** `true` is the object with its defaults, `false` is nothing at all. */
function switchable<T extends z.ZodObject>(object: T, on: boolean) {
  return z
    .union([z.boolean(), object])
    .transform((value) => (value === true ? object.parse({}) : value || undefined) as z.output<T> | undefined)
    .prefault(on as never);
}
