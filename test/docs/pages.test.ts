import { expect, it } from 'vitest';
import { anchorsOf, blocksOf, commandProblem, commandsIn, linksOf, npmScriptsIn, pathsIn } from './pages.ts';

const PAGE = `# One & two: \`three\`

See [a](docs/a.md), [b](b.md#part), [top](#one--two-three), [web](https://example.com/x).
Say \`lablb up -n 3\` or \`npx lablb status\`, not \`lablb\`. \`lablb COMMAND --help\`. In \`src/a.ts\` and \`test/b\`.

    lablb test roundrobin --requests 24      # twice
    lablb exec web1 -- ls -l
    npm run bench -- --quick

\`\`\`
$ lablb down --name x
[no](link.md)
\`\`\`
and npm start.
`;

it('finds what can be checked', () => {
  expect(linksOf(PAGE)).toEqual([
    { path: 'docs/a.md' },
    { path: 'b.md', anchor: 'part' },
    { path: '', anchor: 'one--two-three' },
  ]);
  expect(anchorsOf(PAGE)).toEqual(new Set(['one--two-three']));
  expect(blocksOf(PAGE)).toEqual([{ language: '', content: '$ lablb down --name x\n[no](link.md)\n' }]);
  expect(commandsIn(PAGE)).toEqual([
    ['test', 'roundrobin', '--requests', '24'],
    ['exec', 'web1', '--', 'ls', '-l'],
    ['down', '--name', 'x'],
    ['up', '-n', '3'],
    ['status'],
  ]);
  expect(npmScriptsIn(PAGE)).toEqual(['bench', 'start']);
  expect(pathsIn(PAGE)).toEqual(['src/a.ts', 'test/b']);
});

it('tells a command that is not there, and a flag', () => {
  const commands = { up: { flags: { parallel: { char: 'p' } } }, exec: {} };
  const problems = [['up', '--parallel=2', '-p'], ['upp'], ['up', '--quick'], ['exec', 'a', '--', 'b', '-x']];
  expect(problems.map((argv) => commandProblem(argv, commands))).toEqual([
    undefined,
    'no such command',
    'no such flag: --quick',
    undefined,
  ]);
});
