import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { checkHash, groupsOf, isUser, verifyCrypt } from '../../src/proxy/auth.ts';
import type { Userlist } from '../../src/proxy/settings.ts';
import { needs } from '../support/needs.ts';

describe('SHA crypt', () => {
  test.each([
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ])('%s', (hash) => {
    expect(verifyCrypt('Hello world!', hash)).toBe(true);
    expect(verifyCrypt('Hello world', hash)).toBe(false);
  });

  test.skipIf(!needs('openssl'))('agrees with openssl passwd', () => {
    for (const kind of ['-5', '-6'])
      for (const salt of ['ab', 'saltsaltsaltsalt', 'rounds=1234$zz'])
        for (const password of ['a', 'hello world', 'x'.repeat(70)]) {
          const hash = execFileSync('openssl', ['passwd', kind, '-salt', salt, password], {
            encoding: 'utf8',
          }).trim();
          expect(verifyCrypt(password, hash)).toBe(true);
          expect(verifyCrypt(`${password}x`, hash)).toBe(false);
        }
  });

  test.each(['$1$salt$abc', 'plain', '$5$salt$tooshort', ''])('%j cannot be checked', (hash) => {
    expect(checkHash(hash)).toBeDefined();
    expect(verifyCrypt('x', hash)).toBe(false);
  });
});

describe('userlists', () => {
  const list: Userlist = {
    name: 'u',
    groups: new Map([['admins', { users: ['al'] }]]),
    users: new Map([
      ['al', { password: 'secret', insecure: true, groups: ['staff'] }],
      ['none', { insecure: true, groups: [] }],
    ]),
  };
  test('know users by their passwords', () => {
    expect(isUser(list, { user: 'al', password: 'secret' })).toBe(true);
    expect(isUser(list, { user: 'al', password: 'secre' })).toBe(false);
    expect(isUser(list, { user: 'none', password: '' })).toBe(false);
    expect(isUser(list, { user: 'stranger', password: 'secret' })).toBe(false);
  });
  test('know groups named on either side', () => {
    expect(groupsOf(list, 'al')).toEqual(['staff', 'admins']);
  });
});
