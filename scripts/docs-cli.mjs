/** The command line's page, from oclif's manifest and the few things that it does not know. */

const HEAD = `# The command line

Written by \`npm run docs\` from what the commands declare; \`lablb COMMAND --help\` says the same.

## Which lab is meant

\`lablb up\` takes a topology file. Without one it takes the only \`*.lab.yaml\`, \`topology.yaml\` or \`topology.yml\` of
the folder. Other commands also take the name of a lab that is up (\`--name NAME\`), for lablb remembers what it brought
up, in \`$XDG_STATE_HOME/lablb\` (\`~/.local/state/lablb\`): so they work in any folder, and when the file is gone. With
neither, they mean the lab of the folder's topology, and where there is none the only lab that is up. A lab that is
there and not remembered (made by its script; the memory lost) is found by its file.

## Exit statuses

| status | meaning |
|---|---|
| 0 | it is done, or there was nothing to do |
| 1 | it was tried and did not work: a step of \`up\`, a test that does not hold |
| 2 | the input was refused (flags, a name, a topology, a configuration); nothing was touched |
| 3 | this machine lacks something; \`lablb doctor\` says what, and how to get it |
| 130 | interrupted (Ctrl-C, SIGTERM, a closed terminal); the next \`lablb up\` goes on, \`lablb down\` cleans up |

\`lablb exec\` and \`lablb proxy\` hand on the status of what they run (127: there is no such program; 126: it cannot be
run; 128 + n: ended by signal n).

## For programs

Commands that report have \`--json\`: one JSON value on standard output and nothing else there. What went wrong is
\`{"error": {"code", "message", …}}\`, with the exit status above; \`code\` is stable, \`message\` is for people.
\`lablb test --junit FILE\` writes JUnit XML.

Colours and moving lines appear on terminals only. \`NO_COLOR\` turns colours off, \`FORCE_COLOR=1\` on.

## Environment

| variable | meaning |
|---|---|
| \`XDG_STATE_HOME\` | where lablb remembers, and where local nodes live: \`$XDG_STATE_HOME/lablb\` |
| \`LABLB_ENGINE\` | the engine's executable, for all labs: a real \`haproxy\` can take its place, for it takes the same flags. For one lab: \`engine: haproxy\` in its topology |
| \`LABLB_SHARED_ADDRESS=1\` | new local nodes share 127.0.0.1 and differ by port, as where there is no other address |
| \`NO_COLOR\`, \`FORCE_COLOR\` | colours |
| \`DEBUG=*\` | show where a fault of lablb's own happened |

## Shell completion

\`lablb autocomplete bash\` (or \`zsh\`, \`powershell\`) says what to add to the shell's start file.

## Local nodes

A node of the provider \`local\` is a folder, \`$XDG_STATE_HOME/lablb/LAB/nodes/NODE\`, which stands for its file system
(\`etc/hosts\`, \`etc/haproxy/haproxy.cfg\`, \`var/log/…\`), and processes that outlive lablb. On Linux it has an address
of its own in 127.0.0.0/8, the same each time, and the ports of the topology; where a port is not permitted (80 without
root) or taken, the next best one is used and \`lablb status\` shows it: \`80→8080\`. Elsewhere nodes share 127.0.0.1 and
differ by port. \`lablb exec NODE -- service NAME start|stop|restart|reload|status\` drives its services.

## Commands
`;

export function cliPage({ commands }) {
  const own = Object.values(commands).filter((command) => !command.hidden);
  return [HEAD, ...own.sort(byId).map(section)].join('\n');
}

const byId = (a, b) => (a.id < b.id ? -1 : 1);

function section(command) {
  const args = Object.values(command.args).filter((arg) => !arg.hidden);
  const flags = Object.values(command.flags).filter((flag) => !flag.hidden);
  const sentences = [...new Set([command.summary, command.description])].filter(Boolean);
  return [
    `### lablb ${command.id}\n`,
    `${sentences.map((text) => text.replace(/\.?$/, '.')).join(' ')}\n`,
    `    lablb ${usage(command, args, flags)}\n`,
    ...rows(args, flags),
    ...examples(command),
  ].join('\n');
}

function usage(command, args, flags) {
  if (command.usage) return command.usage;
  const names = args.map((arg) => (arg.required ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`));
  return [command.id, ...names, ...(flags.length > 0 ? ['[FLAGS]'] : [])].join(' ');
}

function rows(args, flags) {
  const all = [
    ...args.map((arg) => [`\`${arg.name.toUpperCase()}\``, arg.description]),
    ...flags
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((flag) => [`\`${flagName(flag)}\``, flagText(flag)]),
  ];
  if (all.length === 0) return [];
  return [
    '| | |\n|---|---|',
    ...all.map(([name, text]) => `| ${name} | ${(text ?? '').replaceAll('|', '\\|')} |`),
    '',
  ];
}

function flagName({ name, char, type, helpValue, options, allowNo }) {
  const value = type === 'option' ? ` ${helpValue ?? (options ? options.join('\\|') : 'VALUE')}` : '';
  return `${char ? `-${char}, ` : ''}--${allowNo ? '[no-]' : ''}${name}${value}`;
}

function flagText({ name, description, default: byDefault, multiple }) {
  if (name === 'json') return 'the report as JSON';
  const text = [description, multiple && !/again/.test(description) ? 'may be given again' : '']
    .filter(Boolean)
    .join('; ');
  return byDefault === undefined || byDefault === false ? text : `${text} (default: ${byDefault})`;
}

function examples({ examples: list = [] }) {
  const lines = list.map((one) => (typeof one === 'string' ? one : one.command)).filter(Boolean);
  if (lines.length === 0) return [];
  return [
    ...lines.map(
      (line) => `    $ ${line.replaceAll('<%= config.bin %>', 'lablb').replaceAll('<%= command.id %>', '')}`,
    ),
    '',
  ];
}
