import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { errorFiles } from '../../src/render/error-files.ts';

describe('the error files', () => {
  // SHA-256 of the files that Debian's haproxy 2.6 package brings.
  it.each([
    [400, '52646d932f52e68df43417ff910f45aa52157702f4d2a4a5b875545e047f434c'],
    [403, '9fa69cf584383c71c67cfea0349f9c236b4bffac3da6f9bd7b320d35b59dc05b'],
    [408, 'ac1e1a0791101f4e4db2772fcf852353e921a38ede1d0705d1be9983ad4c7bff'],
    [500, '1a15755124dd229112203f34fffe1ed8951a4a1fe0832af9aaf02f0bd8b0591e'],
    [502, '59efe86cf5e2d6767ab90bdb1446d49393862fba2f761dd5a23c43373e17336c'],
    [503, '799602bc1ef35d2208c0519c1288516147a703f16c2837eb8802deb27f83beaa'],
    [504, '0ac0c626a1ac4d322f40710ace0faa6a234f7225c8f9704de47de79cdd537eca'],
  ])('%i.http is HAProxy’s, byte for byte', (status, hash) => {
    const file = errorFiles().find(({ path }) => path === `/etc/haproxy/errors/${status}.http`)!;
    expect(createHash('sha256').update(file.content).digest('hex')).toBe(hash);
  });
});
