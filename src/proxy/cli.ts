/**
 * The command line of the executable, with HAProxy's flags (management guide, section 3). Pure: arguments in, options
 * out. What HAProxy tunes about itself is read and noted, so that programs that start HAProxy can start the engine.
 */

export interface ProxyCommand {
  /** `check` is `-c`, `condition` is `-cc`, `version` and `build` are `-v` and `-vv`. */
  action: 'run' | 'check' | 'condition' | 'version' | 'build' | 'keywords';
  /** Files and folders of `-f`, and those after `--`, in order. */
  configs: string[];
  condition?: string;
  pidfile?: string;
  /** `-C`: the folder to change to before anything is read. */
  folder?: string;
  /** `-D`, and neither `-db` nor `-d`. */
  daemon: boolean;
  /** `-W`, `-Ws`: a master that watches workers; `notify` tells systemd. */
  masterWorker?: { notify: boolean };
  debug: boolean;
  quiet: boolean;
  verbose: boolean;
  /** `-dW`: warnings refuse the configuration too. */
  zeroWarning: boolean;
  /** `-dD`. */
  diagnosticMode: boolean;
  /** `-dr`: a server whose name cannot be resolved starts down. */
  ignoreUnresolved: boolean;
  /** `-dV`: certificates of servers are not checked. */
  noServerVerify: boolean;
  /** `-dR`: listening sockets are not shared with other processes. */
  noReusePort: boolean;
  maxconn?: number;
  /** `-N`. */
  proxyMaxconn?: number;
  localPeer?: string;
  /** Processes to take over from: they `finish` their connections, or `terminate` at once. */
  takeOver?: { how: 'finish' | 'terminate'; pids: number[] };
  /** `-x`: the runtime socket to get listening sockets from. */
  listenersFrom?: string;
  /** `-S`: addresses of the master's runtime socket. */
  masterSockets: string[];
  /** Of `keywords`: `--json`, `--markdown`. */
  format: 'text' | 'json' | 'markdown';
  /** Flags that were read and have no effect. */
  noted: string[];
}

/** `problem` is a line for the user, who is then shown the usage. */
export type ParsedArguments = { command: ProxyCommand } | { problem: string };

interface FlagRow {
  readonly flag: string;
  /** Its argument as the usage shows it; `''` for none, `…` at the end for all up to the next flag. */
  readonly usage: string;
  readonly doc: string;
  readonly support?: 'noted';
  /** Returns a complaint about the arguments, or undefined. */
  check?(values: readonly string[]): string | undefined;
  apply?(command: ProxyCommand, values: readonly string[]): void;
}

/** Reads the arguments after the program's name. */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  const command = newCommand();
  const rest = [...argv];
  if (rest[0] === 'keywords') {
    command.action = 'keywords';
    const [, form, ...extra] = rest;
    if (form === '--json' || form === '--markdown') command.format = form === '--json' ? 'json' : 'markdown';
    else if (form !== undefined) extra.unshift(form);
    return extra.length === 0 ? { command } : { problem: `'keywords' does not take '${extra[0]}'` };
  }
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === '--') {
      command.configs.push(...rest.splice(0));
      break;
    }
    const row =
      FLAGS.find((r) => r.flag === word) ?? FLAGS.find((r) => r.usage === '[…]' && word.startsWith(r.flag));
    if (row === undefined) {
      return {
        problem: word.startsWith('-')
          ? `unknown flag '${word}'`
          : `'${word}' is not a flag; files follow -f or --`,
      };
    }
    const values = takeValues(row, rest);
    if (values === undefined) return { problem: `'${row.flag}' wants ${row.usage}` };
    if (row.support === 'noted') command.noted.push(word);
    const complaint = row.check?.(values);
    if (complaint !== undefined) return { problem: complaint };
    row.apply?.(command, values);
  }
  if ((command.action === 'run' || command.action === 'check') && command.configs.length === 0) {
    return { problem: 'no configuration file: name one with -f' };
  }
  return { command };
}

/** The flags as HAProxy's own usage lists them. */
export function renderUsage(name: string): string {
  const width = Math.max(...FLAGS.map((row) => `${row.flag} ${row.usage}`.length));
  const lines = FLAGS.map((row) => {
    const left = `${row.flag} ${row.usage}`.padEnd(width);
    return `  ${left}  ${row.doc}${row.support === 'noted' ? ' (no effect here)' : ''}`;
  });
  return [
    `Usage: ${name} -f <file or folder> [flags] [-- <file>…]`,
    `       ${name} keywords [--json|--markdown]`,
    '',
    ...lines,
    '',
  ].join('\n');
}

function newCommand(): ProxyCommand {
  return {
    action: 'run',
    configs: [],
    daemon: false,
    debug: false,
    quiet: false,
    verbose: false,
    zeroWarning: false,
    diagnosticMode: false,
    ignoreUnresolved: false,
    noServerVerify: false,
    noReusePort: false,
    masterSockets: [],
    format: 'text',
    noted: [],
  };
}

/** Removes a flag's arguments from `rest`; undefined when one is missing. */
function takeValues(row: FlagRow, rest: string[]): string[] | undefined {
  if (row.usage === '' || row.usage === '[…]') return [];
  if (row.usage.endsWith('…')) {
    const end = rest.findIndex((word) => word.startsWith('-'));
    return rest.splice(0, end < 0 ? rest.length : end);
  }
  return rest.length === 0 ? undefined : rest.splice(0, 1);
}

function noted(flag: string, usage: string, doc: string): FlagRow {
  return { flag, usage, doc, support: 'noted' };
}

function number(flag: string, usage: string, doc: string, key: 'maxconn' | 'proxyMaxconn'): FlagRow {
  return {
    flag,
    usage,
    doc,
    check: ([value]) => (/^\d{1,10}$/.test(value!) ? undefined : `'${flag}' wants a number, not '${value}'`),
    apply: (command, [value]) => {
      command[key] = Number(value);
    },
  };
}

function takeOver(flag: string, how: 'finish' | 'terminate', doc: string): FlagRow {
  return {
    flag,
    usage: '<pid>…',
    doc,
    check: (values) => {
      const odd = values.find((value) => !/^[1-9]\d{0,9}$/.test(value));
      return odd === undefined ? undefined : `'${flag}' wants process ids, not '${odd}'`;
    },
    apply: (command, values) => {
      command.takeOver = { how, pids: values.map(Number) };
    },
  };
}

const FLAGS: readonly FlagRow[] = [
  {
    flag: '-f',
    usage: '<file or folder>',
    doc: 'read this file, or the *.cfg files of this folder; may be repeated',
    apply: (command, [path]) => {
      command.configs.push(path!);
    },
  },
  {
    flag: '-c',
    usage: '',
    doc: 'check the configuration and exit: 0 good, 1 bad, 2 nothing to listen on',
    apply: (command) => {
      command.action = 'check';
    },
  },
  {
    flag: '-cc',
    usage: '<condition>',
    doc: 'evaluate a condition and exit: 0 true, 1 false, 2 not a condition',
    apply: (command, [condition]) => {
      command.action = 'condition';
      command.condition = condition;
    },
  },
  {
    flag: '-v',
    usage: '',
    doc: 'show the version',
    apply: (command) => {
      command.action = 'version';
    },
  },
  {
    flag: '-vv',
    usage: '',
    doc: 'show the version and how it was built',
    apply: (command) => {
      command.action = 'build';
    },
  },
  {
    flag: '-p',
    usage: '<file>',
    doc: 'write the process id to this file',
    apply: (command, [path]) => {
      command.pidfile = path;
    },
  },
  {
    flag: '-C',
    usage: '<folder>',
    doc: 'change to this folder before reading files',
    apply: (command, [path]) => {
      command.folder = path;
    },
  },
  {
    flag: '-D',
    usage: '',
    doc: 'go to the background',
    apply: (command) => {
      command.daemon = true;
    },
  },
  {
    flag: '-W',
    usage: '',
    doc: 'a master that watches the worker',
    support: 'noted',
    apply: (command) => {
      command.masterWorker = { notify: false };
    },
  },
  {
    flag: '-Ws',
    usage: '',
    doc: 'the same, telling systemd when it is ready',
    support: 'noted',
    apply: (command) => {
      command.masterWorker = { notify: true };
    },
  },
  takeOver('-sf', 'finish', 'take over from these processes, which finish their connections'),
  takeOver('-st', 'terminate', 'take over from these processes, which end at once'),
  {
    flag: '-x',
    usage: '<socket>',
    doc: 'get the listening sockets from this runtime socket',
    support: 'noted',
    apply: (command, [path]) => {
      command.listenersFrom = path;
    },
  },
  {
    flag: '-S',
    usage: '<address>[,<option>…]',
    doc: "the master's runtime socket",
    support: 'noted',
    apply: (command, [address]) => {
      command.masterSockets.push(address!);
    },
  },
  {
    flag: '-q',
    usage: '',
    doc: 'say nothing',
    apply: (command) => {
      command.quiet = true;
    },
  },
  {
    flag: '-V',
    usage: '',
    doc: 'say more; undoes -q',
    apply: (command) => {
      command.verbose = true;
      command.quiet = false;
    },
  },
  {
    flag: '-d',
    usage: '',
    doc: 'show traffic, in the foreground',
    apply: (command) => {
      command.debug = true;
      command.daemon = false;
    },
  },
  {
    flag: '-db',
    usage: '',
    doc: 'stay in the foreground',
    apply: (command) => {
      command.daemon = false;
      command.masterWorker = undefined;
    },
  },
  {
    flag: '-dD',
    usage: '',
    doc: 'show what .diag lines say',
    apply: (command) => {
      command.diagnosticMode = true;
    },
  },
  {
    flag: '-dW',
    usage: '',
    doc: 'refuse configurations with warnings',
    apply: (command) => {
      command.zeroWarning = true;
    },
  },
  {
    flag: '-dr',
    usage: '',
    doc: 'start although names of servers cannot be resolved',
    apply: (command) => {
      command.ignoreUnresolved = true;
    },
  },
  {
    flag: '-dV',
    usage: '',
    doc: 'do not check certificates of servers',
    support: 'noted',
    apply: (command) => {
      command.noServerVerify = true;
    },
  },
  {
    flag: '-dR',
    usage: '',
    doc: 'do not share listening sockets, with a successor (-sf) neither',
    apply: (command) => {
      command.noReusePort = true;
    },
  },
  number('-n', '<number>', 'most connections at a time', 'maxconn'),
  {
    ...number('-N', '<number>', 'most connections at a time of a proxy that does not say', 'proxyMaxconn'),
    support: 'noted',
  },
  {
    flag: '-L',
    usage: '<name>',
    doc: 'name of this process among peers',
    apply: (command, [name]) => {
      command.localPeer = name;
    },
  },
  noted('-m', '<megabytes>', 'most memory'),
  noted('-de', '', 'do without epoll'),
  noted('-dp', '', 'do without poll'),
  noted('-dk', '', 'do without kqueue'),
  noted('-dv', '', 'do without event ports'),
  noted('-dS', '', 'do without splice'),
  noted('-dG', '', 'do without getaddrinfo'),
  noted('-dF', '', 'do without fast forwarding'),
  noted('-dI', '', 'do without insecure forks'),
  noted('-dL', '', 'list object files'),
  noted('-dZ', '', 'do without zero-copy forwarding'),
  noted('-dC', '[…]', 'show the configuration'),
  noted('-dK', '[…]', 'list keywords; here: keywords'),
  noted('-dM', '[…]', 'fill memory'),
  noted('-dt', '[…]', 'traces'),
];
