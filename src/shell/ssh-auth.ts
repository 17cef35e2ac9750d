import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../errors.ts';

/** A way to show who one is, as ssh2's `authHandler` takes it. */
export type AuthMethod =
  | { readonly type: 'publickey'; readonly username: string; readonly key: Buffer }
  | { readonly type: 'agent'; readonly username: string; readonly agent: string }
  | { readonly type: 'password'; readonly username: string; readonly password: string }
  | {
      readonly type: 'keyboard-interactive';
      readonly username: string;
      readonly prompt: (
        name: string,
        instructions: string,
        language: string,
        prompts: readonly unknown[],
        finish: (answers: string[]) => void,
      ) => void;
    };

export interface Credentials {
  readonly user: string;
  /** Private key file; without one, the agent's keys and the usual files. */
  readonly key?: string;
  readonly password?: string;
}

/**
 * What to try, in order: the key that was named, or the agent's keys and the usual files; then the password.
 *
 * @throws LabError `ssh.key` when the key that was named cannot be used.
 */
export function authMethods(
  { user: username, key, password }: Credentials,
  env: NodeJS.ProcessEnv = process.env,
): AuthMethod[] {
  const agent: AuthMethod[] = env.SSH_AUTH_SOCK
    ? [{ type: 'agent', username, agent: env.SSH_AUTH_SOCK }]
    : [];
  const keys = key ? namedKey(expandHome(key, env), agent.length > 0) : usualKeys(env);
  const publicKeys = keys.map((one): AuthMethod => ({ type: 'publickey', username, key: one }));
  return [
    // An encrypted key that was named is the agent's to know.
    ...(key && keys.length > 0 ? [] : agent),
    ...publicKeys,
    ...(password === undefined ? [] : passwordMethods(username, password)),
  ];
}

export function expandHome(path: string, env: NodeJS.ProcessEnv = process.env): string {
  return path.startsWith('~/') ? join(env.HOME || homedir(), path.slice(2)) : path;
}

/** Servers with PAM often take a password in answer to a question alone. */
function passwordMethods(username: string, password: string): AuthMethod[] {
  let asked = false;
  return [
    { type: 'password', username, password },
    {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        // Asked twice, it was wrong; some servers send a last round without a question.
        const answers = prompts.map(() => (asked ? '' : password));
        asked ||= prompts.length > 0;
        finish(answers);
      },
    },
  ];
}

function usualKeys(env: NodeJS.ProcessEnv): Buffer[] {
  const folder = join(env.HOME || homedir(), '.ssh');
  return ['id_ed25519', 'id_ecdsa', 'id_rsa'].flatMap((name) => {
    const path = join(folder, name);
    if (!existsSync(path)) return [];
    try {
      const key = readFileSync(path);
      return isEncrypted(key) ? [] : [key];
    } catch {
      return [];
    }
  });
}

/** The key of a file; none when it is encrypted and there is an agent that may hold it. */
function namedKey(path: string, hasAgent: boolean): Buffer[] {
  let key: Buffer;
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw unusable(`others may read the key ${path}`, `chmod 600 ${path}`);
    key = readFileSync(path);
  } catch (error) {
    if (error instanceof LabError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw unusable(`the key ${path} cannot be read (${code})`, "key: FILE under 'ssh:' in the topology");
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.toString('latin1')))
    throw unusable(`${path} holds no private key`, 'name the file without .pub');
  if (!isEncrypted(key)) return [key];
  if (hasAgent) return [];
  throw unusable(`the key ${path} has a passphrase`, `eval "$(ssh-agent)"; ssh-add ${path}`);
}

/** By PEM's headers, or the cipher's name in OpenSSH's own format (PROTOCOL.key). */
function isEncrypted(key: Buffer): boolean {
  const text = key.toString('latin1');
  if (/ENCRYPTED/.test(text)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text)?.[1];
  if (body === undefined) return false;
  const blob = Buffer.from(body, 'base64');
  const at = 'openssh-key-v1\0'.length;
  return blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at)).toString('latin1') !== 'none';
}

function unusable(message: string, hint: string): LabError {
  return new LabError(message, { code: 'ssh.key', hints: [hint] });
}
