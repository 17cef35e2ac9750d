import { expect, it } from 'vitest';
import { type Diagnostic, renderDiagnostics } from '../../src/errors.ts';
import { parseTopology } from '../../src/topology/parse.ts';

const LAB = `defaults: { packages: [tree] }
nodes:
  web1: { commands: ['true'] }
`;

function warningsOf(provider: 'local' | 'lxd'): string {
  const warnings: Diagnostic[] = [];
  parseTopology(LAB, { file: 'x.lab.yaml', provider, warn: (some) => warnings.push(...some) });
  return renderDiagnostics(warnings, new Map(), { severity: true });
}

it("says what provider 'local' leaves undone, and where", () => {
  expect(warningsOf('local').split('\n')).toEqual([
    "x.lab.yaml:3:11  warning: nodes.web1.commands: they do not run with provider 'local', whose nodes are no systems of their own",
    "x.lab.yaml:1:13  warning: defaults.packages: nothing is installed with provider 'local'",
  ]);
  expect(warningsOf('lxd')).toBe('');
});
