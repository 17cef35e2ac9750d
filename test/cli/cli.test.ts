import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { coloursFor, stripColours } from '../../src/cli/colours.ts';
import {
  exitStatusOf,
  failureToJson,
  interrupted,
  renderFailure,
  renderFailures,
} from '../../src/cli/failure.ts';
import { table } from '../../src/cli/table.ts';
import { unknownCommand, usageError } from '../../src/cli/usage.ts';
import { ConfigError, LabError, ProxyError } from '../../src/errors.ts';
import { seconds } from '../../src/text.ts';

const plain = coloursFor({ isTTY: false }, {});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
  ])('terminal %s with %j: %s', (isTTY, env, enabled) => {
    expect(coloursFor({ isTTY }, env).enabled).toBe(enabled);
  });

  it('can be taken off again', () => {
    const c = coloursFor({ isTTY: true }, {});
    expect(stripColours(c.bold(c.red('x')))).toBe('x');
    expect(c.red('')).toBe('');
  });
});

it('aligns columns by what is seen', () => {
  const c = coloursFor({ isTTY: true }, {});
  const text = table([
    [c.red('é'), 'b'],
    ['long', '', 'c'],
    ['x', 'a very long last cell'],
  ]);
  expect(stripColours(text)).toBe('  é     b\n  long    c\n  x     a very long last cell');
});

describe('refusals', () => {
  it('tell a cause that nodes share once, with their names', () => {
    const missing = (node: string) =>
      new LabError('the image is not to be had', {
        code: 'lxd.image',
        node,
        command: ['lxc', 'init', 'debian/99', node],
        exitStatus: 1,
      });
    const full = new LabError('the disk is full', { code: 'node.full', node: 'web3' });
    expect(renderFailures([missing('web1'), full, missing('web2')], plain)).toBe(
      [
        '✖ web1, web2: the image is not to be had',
        '    $ lxc init debian/99 web1  (exit status 1)',
        '✖ web3: the disk is full',
      ].join('\n'),
    );
    expect(renderFailures([missing('web1'), new Error('x')], plain)).toMatch(/^✖ web1: [\s\S]*\n✖ x/);
    const file = (node: string) => new LabError(`/nodes/${node}/a: it is in use`, { code: 'EBUSY', node });
    expect(renderFailures([file('web1'), file('web2')], plain)).toBe(
      '✖ web1: /nodes/web1/a: it is in use\n✖ web2: /nodes/web2/a: it is in use',
    );
  });

  it('show what went wrong on a node, and what to try', () => {
    const error = new LabError('a command failed', {
      code: 'node.command-failed',
      node: 'web1',
      command: ['systemctl', 'start', 'my httpd'],
      exitStatus: 5,
      stderr: 'Unit not found.\n',
      hints: ['lablb doctor', 'lablb logs web1'],
    });
    expect(renderFailure(error, plain)).toBe(
      [
        '✖ web1: a command failed',
        "    $ systemctl start 'my httpd'  (exit status 5)",
        '    Unit not found.',
        '    try: lablb doctor',
        '         lablb logs web1',
      ].join('\n'),
    );
    expect(failureToJson(error).error).toMatchObject({
      code: 'node.command-failed',
      node: 'web1',
      exitStatus: 5,
    });
    expect(exitStatusOf(error)).toBe(1);
  });

  it('leave out a script of lablb’s own, and keep it for --json and DEBUG', () => {
    vi.stubEnv('DEBUG', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    const error = (stderr: string) =>
      new LabError('could not start service httpd', {
        code: 'node.command-failed',
        node: 'web1',
        command: ['sh', '-c', 'systemctl restart "$1" || …', 'sh', 'httpd'],
        exitStatus: 5,
        stderr,
      });
    expect(renderFailure(error('port 80 is taken\n'), plain)).toBe(
      '✖ web1: could not start service httpd\n    port 80 is taken',
    );
    expect(renderFailure(error(''), plain)).toBe('✖ web1: could not start service httpd\n    exit status 5');
    expect(failureToJson(error('')).error.command).toContain('httpd');
    vi.stubEnv('DEBUG', '*');
    expect(renderFailure(error(''), plain)).toContain('$ sh -c');
  });

  it('of the system are in words', () => {
    const full = Object.assign(new Error('ENOSPC: …'), { code: 'ENOSPC', syscall: 'write', path: '/s/x' });
    expect(renderFailure(full, plain)).toMatch(/^✖ \/s\/x: its disk is full\n {4}try: df -h \/s /);
    expect(failureToJson(full).error).toMatchObject({
      code: 'ENOSPC',
      message: expect.stringMatching(/its disk is full/),
    });
  });

  it('show the place in a file, and that nothing was touched', () => {
    const place = { file: 'a.yaml', line: 2, column: 3, length: 2 };
    const error = new ConfigError(
      [
        { severity: 'error', message: 'unknown key', place, hint: "did you mean 'ab'?" },
        { severity: 'warning', message: 'old' },
      ],
      new Map([['a.yaml', 'x\n  ac: 1\n']]),
    );
    expect(renderFailure(error, plain)).toBe(
      "a.yaml:2:3  unknown key; did you mean 'ab'?\n   2 |   ac: 1\n     |   ^^\nold\n1 error, 1 warning; nothing was touched",
    );
    expect(exitStatusOf(error)).toBe(2);
  });

  it('have their exit statuses', () => {
    expect(exitStatusOf(new LabError('x', { code: 'x', exit: 3 }))).toBe(3);
    expect(exitStatusOf(interrupted())).toBe(130);
    expect(exitStatusOf(new ProxyError('x', { code: 'bind' }))).toBe(1);
    expect(exitStatusOf(new TypeError('x'))).toBe(1);
  });

  it('own up to faults of lablb', () => {
    expect(renderFailure(new TypeError('x is not a function'), plain)).toMatch(
      /x is not a function\n.*a fault of lablb/,
    );
    expect(failureToJson(new TypeError('x')).error.code).toBe('internal');
  });
});

describe('mistakes on the command line', () => {
  const parserError = (message: string, more: object = {}): Error =>
    Object.assign(new Error(message), { oclif: { exit: 2 } }, more);

  it('say what was probably meant', () => {
    const input = { flags: { 'dry-run': {}, only: {} } };
    const error = usageError(
      parserError('Nonexistent flag: --dryrun', { flags: ['--dryrun'], parse: { input } }),
      'up',
    )!;
    expect(renderFailure(error, plain)).toBe(
      "✖ unknown flag '--dryrun'; did you mean '--dry-run'?\n    try: lablb up --help",
    );
    expect(unknownCommand('stauts', ['up', 'status']).message).toBe(
      "unknown command 'stauts'; did you mean 'status'?",
    );
    expect(unknownCommand('xyzzy', ['up', 'status']).message).toBe("unknown command 'xyzzy'");
  });

  it('are told in one line, as refusals', () => {
    const error = usageError(
      parserError(
        'Missing 1 required arg:\nnode  node of the lab\n\nNote: --file allows multiple values. Because of this …\nSee more help with --help',
      ),
      'exec',
    )!;
    expect(error.message).toBe('NODE is missing: node of the lab');
    expect(exitStatusOf(error)).toBe(2);
    expect(usageError(new TypeError('x'), 'up')).toBeUndefined();
  });
});

it('writes times as people read them', () => {
  expect([4, 994, 995, 12_940].map(seconds)).toEqual(['0.00 s', '0.99 s', '1.0 s', '12.9 s']);
});
