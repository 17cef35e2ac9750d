import { EXIT, LabError } from '../errors.ts';

/** What keeps a connection from standing, and what to do about it. First match wins; `%` is the machine. */
const FAILURES: readonly { says: RegExp; code: string; message: string; hints: readonly string[] }[] = [
  {
    says: /ECONNREFUSED/,
    code: 'ssh.refused',
    message: 'nothing listens on %',
    hints: ['systemctl start sshd   (on it; Debian: ssh)', "port: N under 'ssh:' in the topology"],
  },
  {
    says: /ENOTFOUND|EAI_AGAIN/,
    code: 'ssh.name',
    message: 'the name of % has no address',
    hints: ['address: A.B.C.D at the node'],
  },
  {
    says: /EHOSTUNREACH|ENETUNREACH|ENETDOWN|EHOSTDOWN/,
    code: 'ssh.unreachable',
    message: 'there is no way to %',
    hints: ['is it up, and on this network?', "jump: USER@HOST under 'ssh:', if another machine leads there"],
  },
  {
    says: /authentication methods failed/,
    code: 'ssh.auth',
    message: '% takes none of the keys and passwords there are',
    hints: ["ssh-copy-id; or key: FILE, passwordEnv: NAME under 'ssh:'", "user: NAME under 'ssh:'"],
  },
  {
    says: /no matching|handshake failed/i,
    code: 'ssh.algorithms',
    message: '% offers no algorithm that is still safe',
    hints: ['a newer OpenSSH on it'],
  },
];

/** Why a connection does not stand, with a way out. `lateMs`: its deadline, when that is over. */
export function sshFailure(
  cause: unknown,
  { user, host, port }: { user: string; host: string; port: number },
  lateMs?: number,
): LabError {
  const where = `${user}@${host}:${port}`;
  if (lateMs !== undefined)
    return new LabError(`no answer from ${host}:${port} in ${lateMs / 1000} s`, {
      code: 'ssh.timeout',
      exit: EXIT.failed,
      hints: ['is it up, and does its firewall let the port through?', `ssh -v -p ${port} ${user}@${host}`],
      cause,
    });
  const said = String((cause as Error).message ?? cause);
  const known = FAILURES.find(({ says }) => says.test(`${(cause as { code?: string }).code ?? ''} ${said}`));
  return new LabError(known?.message.replace('%', where) ?? `no connection to ${where}: ${said}`, {
    code: known?.code ?? 'ssh.failed',
    hints: known?.hints ?? [`ssh -v -p ${port} ${user}@${host}`],
    cause,
  });
}
