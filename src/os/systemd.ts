import type { ServiceAction } from '../plan/plan.ts';
import type { FileSpec } from '../providers/provider.ts';
import type { ServiceSpec } from '../roles/role.ts';

/** How services are defined and driven where systemd is: the part that families of systems share. */

/**
 * What makes a service known: a unit of its own, or, where a package brought one, a drop-in beside it. Both note what
 * the service has read whenever it starts or reloads, whoever asked for that: this is how one that runs with an older
 * configuration is told.
 */
export function defineUnit(service: ServiceSpec): FileSpec {
  const { name, packaged, once, folders } = service;
  return packaged
    ? { path: dropInPath(name), content: dropIn(service), folders }
    : { path: unitPath(name), content: once ? onceUnit(service) : unit(service), folders };
}

/** An argv for `start`, `restart`, `reload`, `stop`; what the journal says of a failure goes to standard error. */
export function systemctl(action: ServiceAction, name: string): readonly string[] {
  return ['sh', '-c', SCRIPTS[action], 'sh', name];
}

const unitPath = (name: string): string => `/etc/systemd/system/${name}.service`;
const dropInPath = (name: string): string => `/etc/systemd/system/${name}.service.d/lablb.conf`;

const TELL = `{ s=$?; journalctl -q --no-pager -n 12 -o cat -u "$1" >&2; exit $s; }`;

const SCRIPTS: Readonly<Record<ServiceAction, string>> = {
  // A package may have enabled it already (to do that again is slow where it has a script of the old kind too), and
  // started it, without what lablb adds.
  start: `{ [ "$(systemctl is-enabled "$1" 2>/dev/null)" = enabled ] || systemctl enable -q --no-reload "$1"; } && systemctl restart "$1" || ${TELL}`,
  restart: `systemctl restart "$1" || ${TELL}`,
  reload: `systemctl reload-or-restart "$1" || ${TELL}`,
  // Its unit may be gone from the disk by now, with only the links left.
  stop: `systemctl stop "$1"; systemctl disable -q "$1" 2>/dev/null || rm -f /etc/systemd/system/*.wants/"$1".service; systemctl daemon-reload`,
};

function dropIn(service: ServiceSpec): string {
  return `# Written by lablb.
[Service]
${[...prepare(service), `ExecStartPost=${note(service)}`, ...(service.onChange === 'reload' ? [`ExecReload=${note(service)}`] : [])].join('\n')}
`;
}

function unit(service: ServiceSpec): string {
  const command = service.argv.join(' ');
  const pidfile = `/run/${service.runtimeFolder ?? service.name}/${service.name}.pid`;
  return `# Written by lablb: ${service.name} ${service.build}
[Unit]
Description=${service.name}: ${service.about ?? ''}
After=network.target rsyslog.service

[Service]
# It goes to the background when it listens, so that whoever waits for the start waits for that.
Type=forking
PIDFile=${pidfile}
${prepare(service).join('\n')}
ExecStart=${command} -D -p ${pidfile}
ExecStartPost=${note(service)}
# A reload checks first, then a new process takes over the sockets and lets the old one finish its requests.
ExecReload=${command} -c -q
ExecReload=/bin/sh -c 'exec ${command} -D -p ${pidfile} -sf $MAINPID'
ExecReload=${note(service)}
Restart=on-failure
RestartSec=1
KillMode=mixed
TimeoutStopSec=10
LimitNOFILE=1048576
# What a balancer has no need of.
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID CAP_KILL CAP_SYS_RESOURCE

[Install]
WantedBy=multi-user.target
`;
}

/** What was done is kept beside it: a reboot does nothing. */
function onceUnit({ name, about, argv, watch, log, ...service }: ServiceSpec): string {
  const done = `/var/lib/lablb/${name}.done`;
  const work = `cmp -s ${watch[0]} ${done} || { ${argv.join(' ')} >>${log} 2>&1 && cp ${watch[0]} ${done}; } || { tail -n 5 ${log} >&2; exit 1; }`;
  return `# Written by lablb.
[Unit]
Description=${name}: ${about ?? ''}
After=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '${work}'
ExecStartPost=${note({ name, about, argv, watch, log, ...service })}

[Install]
WantedBy=multi-user.target
`;
}

function prepare({ folders = [], runtimeFolder }: ServiceSpec): string[] {
  return [
    ...(runtimeFolder ? [`RuntimeDirectory=${runtimeFolder}`] : []),
    ...folders.map((folder) => `ExecStartPre=+/bin/mkdir -p ${folder}`),
  ];
}

/** Hashes of what it read, where lablb's probe looks; never a reason not to start. */
function note({ name, watch, packaged }: ServiceSpec): string {
  const read = [packaged ? dropInPath(name) : unitPath(name), ...watch].join(' ');
  return `-+/bin/sh /var/lib/lablb/note ${name} ${read}`;
}
