import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotePosix, remoteCommand } from '../../src/shell/remote-command.ts';

/** Anything that fits on a command line, with what shells find interesting more often than not. */
const argument = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom("'", '"', '$(id)', '`id`', '\\', '\n', ' ', '*', '~', '!', ';', '-', '\t'),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

describe('remoteCommand', () => {
  it('hands every argument over unchanged, through a real shell', () => {
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 5 }), (args) => {
        const line = remoteCommand(['printf', '%s\\0', 'first', ...args]);
        expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(
          ['first', ...args].map((arg) => `${arg}\0`).join(''),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('makes one word of anything', () => {
    expect(quotePosix('')).toBe("''");
    expect(quotePosix("it's; rm -rf /")).toBe("'it'\\''s; rm -rf /'");
  });

  it('adds sudo, a deadline of the other side, and variables, in this order', () => {
    expect(remoteCommand(['true'], { sudo: true, timeoutMs: 1500, env: { A: "b'c" } })).toBe(
      "'sudo' '-n' '--' 'timeout' '-k' '1' '5' 'env' 'A=b'\\''c' 'true'",
    );
  });

  it('passes variables and statuses on', () => {
    const line = remoteCommand(['sh', '-c', 'printf %s "$A"'], { env: { A: '$(id)\n' }, timeoutMs: 1000 });
    expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe('$(id)\n');
  });

  it('refuses what no command line can carry', () => {
    expect(() => remoteCommand(['a\0b'])).toThrow('holds a NUL');
    expect(() => remoteCommand([])).toThrow('no command');
    expect(() => remoteCommand(['true'], { env: { 'A=B;C': '' } })).toThrow('name of a variable');
  });
});
