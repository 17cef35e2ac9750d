import { describe, expect, it } from 'vitest';
import { type ProxyCommand, parseArguments, renderUsage } from '../../src/proxy/cli.ts';

function command(...argv: string[]): ProxyCommand {
  const parsed = parseArguments(argv);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.command;
}

function problem(...argv: string[]): string | undefined {
  const parsed = parseArguments(argv);
  return 'problem' in parsed ? parsed.problem : undefined;
}

describe('the flags', () => {
  it.each<[string[], Partial<ProxyCommand>]>([
    [['-f', 'a.cfg'], { action: 'run', configs: ['a.cfg'], daemon: false, noted: [] }],
    [['-f', 'a', '-f', 'b', '--', 'c', '-d'], { configs: ['a', 'b', 'c', '-d'], debug: false }],
    [['-c', '-f', 'a'], { action: 'check' }],
    [['-cc', 'version_atleast(2.4)'], { action: 'condition', condition: 'version_atleast(2.4)' }],
    [['-v'], { action: 'version' }],
    [['-vv'], { action: 'build' }],
    [['-W', '-f', 'a', '-p', '/run/x.pid'], { masterWorker: { notify: false }, pidfile: '/run/x.pid' }],
    [['-Ws', '-f', 'a'], { masterWorker: { notify: true }, noted: ['-Ws'] }],
    [['-D', '-f', 'a'], { daemon: true, noted: [] }],
    [['-q', '-V', '-f', 'a'], { quiet: false, verbose: true, noted: [] }],
    [['-D', '-W', '-f', 'a', '-db'], { daemon: false, masterWorker: undefined }],
    [['-f', 'a', '-sf', '12', '34', '-q'], { takeOver: { how: 'finish', pids: [12, 34] }, quiet: true }],
    [['-f', 'a', '-st', '12'], { takeOver: { how: 'terminate', pids: [12] } }],
    [['-f', 'a', '-sf'], { takeOver: { how: 'finish', pids: [] } }],
    [
      ['-f', 'a', '-x', '/run/s', '-S', 'a', '-S', 'b'],
      { listenersFrom: '/run/s', masterSockets: ['a', 'b'] },
    ],
    [
      ['-C', '/etc', '-L', 'me', '-n', '100', '-N', '50', '-f', 'a'],
      { folder: '/etc', localPeer: 'me', maxconn: 100, proxyMaxconn: 50 },
    ],
    [
      ['-d', '-V', '-dD', '-dW', '-dr', '-dV', '-dR', '-f', 'a'],
      {
        debug: true,
        verbose: true,
        diagnosticMode: true,
        zeroWarning: true,
        ignoreUnresolved: true,
        noServerVerify: true,
        noReusePort: true,
      },
    ],
    [['-dM', '-dMno-merge', '-m', '512', '-de', '-f', 'a'], { noted: ['-dM', '-dMno-merge', '-m', '-de'] }],
    [['keywords'], { action: 'keywords', format: 'text' }],
    [['keywords', '--json'], { action: 'keywords', format: 'json' }],
  ])('%j', (argv, expected) => {
    expect(command(...argv)).toMatchObject(expected);
  });

  it.each<[string[], string]>([
    [[], 'no configuration file: name one with -f'],
    [['-c'], 'no configuration file: name one with -f'],
    [['-f'], "'-f' wants <file or folder>"],
    [['-cc'], "'-cc' wants <condition>"],
    [['-z'], "unknown flag '-z'"],
    [['--version'], "unknown flag '--version'"],
    [['a.cfg'], "'a.cfg' is not a flag; files follow -f or --"],
    [['-f', 'a', '-sf', '1; rm'], "'-sf' wants process ids, not '1; rm'"],
    [['-f', 'a', '-sf', '0'], "'-sf' wants process ids, not '0'"],
    [['-n', 'x', '-f', 'a'], "'-n' wants a number, not 'x'"],
    [['keywords', 'x'], "'keywords' does not take 'x'"],
  ])('%j is refused', (argv, message) => {
    expect(problem(...argv)).toBe(message);
  });

  it('are all in the usage', () => {
    const usage = renderUsage('lablb-proxy');
    for (const flag of [
      '-f',
      '-c',
      '-cc',
      '-v',
      '-vv',
      '-p',
      '-D',
      '-db',
      '-W',
      '-Ws',
      '-sf',
      '-st',
      '-x',
      '-S',
      '-dM',
    ]) {
      expect(usage).toMatch(new RegExp(`^ {2}${flag} `, 'm'));
    }
  });
});
