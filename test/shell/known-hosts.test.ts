import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judge, knownHostLine, knownName, knownTypes, parseKnownHosts } from '../../src/shell/known-hosts.ts';
import { needs } from '../support/needs.ts';

const one = blobOf('ssh-ed25519', 1);
const two = blobOf('ssh-ed25519', 2);
const rsa = blobOf('ssh-rsa', 3);

describe('known_hosts', () => {
  it.each([
    ['web1', 'web1', one, 'known'],
    ['web1', 'web1', two, 'changed'],
    ['web1', 'web1', rsa, 'changed'],
    ['web1', 'web2', one, 'unknown'],
    ['web1,192.0.2.7', '192.0.2.7', one, 'known'],
    ['[web1]:2222', 'web1', one, 'unknown'],
    ['[web1]:2222', '[web1]:2222', one, 'known'],
    ['*.lab,!bad.lab', 'web1.lab', one, 'known'],
    ['*.lab,!bad.lab', 'bad.lab', one, 'unknown'],
    ['web?', 'web1', one, 'known'],
    ['web?', 'web12', one, 'unknown'],
    ['web.', 'webx', one, 'unknown'],
    ['WEB1', 'web1', one, 'known'],
  ] as const)('%s, asked for %s', (hosts, name, blob, verdict) => {
    expect(judge(parseKnownHosts(knownHostLine(hosts, one)), name, blob)).toBe(verdict);
  });

  it('refuses revoked keys, whatever else is said of them', () => {
    const entries = parseKnownHosts(`${knownHostLine('a', one)}@revoked ${knownHostLine('*', one)}`);
    expect(judge(entries, 'a', one)).toBe('revoked');
  });

  it('skips comments, empty lines, halves of lines and authorities', () => {
    const text = `# ${knownHostLine('a', one)}\n\na ssh-ed25519\n@cert-authority ${knownHostLine('a', one)}`;
    expect(parseKnownHosts(text)).toEqual([]);
  });

  it('tells which types to ask for', () => {
    const entries = parseKnownHosts(knownHostLine('a', rsa) + knownHostLine('b', one));
    expect(knownTypes(entries, 'a')).toEqual(['ssh-rsa']);
  });

  it('names ports other than 22', () => {
    expect([knownName('Web1', 22), knownName('web1', 23)]).toEqual(['web1', '[web1]:23']);
  });
});

describe.skipIf(!needs('ssh-keygen'))('known_hosts with hashed names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-known-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds what ssh-keygen hashed', () => {
    const file = join(folder, 'known_hosts');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'k')]);
    const blob = Buffer.from(readFileSync(join(folder, 'k.pub'), 'utf8').split(' ')[1]!, 'base64');
    writeFileSync(file, knownHostLine('web1', blob) + knownHostLine('[web2]:2222', blob));
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('web1');
    const entries = parseKnownHosts(text);
    expect(judge(entries, 'web1', blob)).toBe('known');
    expect(judge(entries, '[web2]:2222', blob)).toBe('known');
    expect(judge(entries, 'web2', blob)).toBe('unknown');
    expect(judge(entries, 'web1', one)).toBe('changed');
  });
});

function blobOf(type: string, fill: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, fill)]);
}
