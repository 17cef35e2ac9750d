import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Holds the arrows: who may import whom, and what only one place may touch. */
const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = sourcesIn(SRC);
const imports = files.flatMap(importsOf);

/** What everybody may import. */
const COMMON: readonly string[] = ['errors.ts', 'system-error.ts', 'text.ts'];

/** Folder → folders of src that it may import for more than types. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  topology: [],
  render: ['topology', 'os'],
  plan: [],
  os: ['plan', 'roles', 'topology'],
  roles: ['os', 'plan', 'render', 'topology'],
  runner: ['plan', 'os', 'cli', 'providers'],
  shell: [],
  credentials: ['state', 'topology'],
  state: ['shell', 'plan'],
  providers: ['shell', 'state', 'plan', 'os', 'roles', 'render', 'credentials'],
  balancer: ['credentials'],
  verify: [
    'balancer',
    'cli',
    'credentials',
    'lab',
    'plan',
    'render',
    'shell',
    'state',
    'providers',
    'topology',
  ],
  config: [],
  sockets: [],
  proxy: ['config', 'sockets'],
};

/** Package or built-in → the only places that may import it (a folder, or a file). */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  execa: ['shell/'],
  'node-ssh': ['shell/'],
  listr2: ['runner/'],
  'log-update': ['cli/'],
  handlebars: ['render/'],
  zod: ['topology/', 'config-file/'],
  yaml: ['topology/'],
  'node-forge': ['credentials/'],
  '@oclif/core': ['commands/', 'cli/'],
};

/** Folders that do no I/O at all, with the files that are the exception. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  topology: ['topology/load.ts'],
  render: ['render/templates.ts'],
  plan: [],
  roles: [],
  os: [],
  config: [],
};
const IO = /^(?:node:)?(?:fs|net|http|https|child_process|dns|dgram|tls|timers|worker_threads)(?:\/|$)|^bun/;

describe('arrows', () => {
  for (const [folder, allowed] of Object.entries(ARROWS)) {
    it(`${folder}/ imports ${[...COMMON, ...allowed].join(', ')}`, () => {
      const wrong = imports.filter(
        ({ from, to, typeOnly }) =>
          from.startsWith(`${folder}/`) &&
          isOurs(to) &&
          !typeOnly &&
          !COMMON.includes(to) &&
          ![folder, ...allowed].some((ok) => to.startsWith(`${ok}/`)),
      );
      expect(show(wrong)).toEqual([]);
    });
  }

  it('keeps the two halves apart, types included', () => {
    const engine = ['config/', 'proxy/', 'sockets/'];
    const lab = [
      'topology/',
      'render/',
      'plan/',
      'runner/',
      'providers/',
      'roles/',
      'os/',
      'state/',
      'lab/',
      'verify/',
      'balancer/',
    ];
    const starts = (path: string, prefixes: string[]): boolean =>
      prefixes.some((prefix) => path.startsWith(prefix));
    const wrong = imports.filter(
      ({ from, to }) =>
        (starts(from, engine) && starts(to, lab)) || (starts(from, lab) && starts(to, engine)),
    );
    expect(show(wrong)).toEqual([]);
  });

  it('has no circle between folders, types aside', () => {
    const edges = new Map<string, Set<string>>();
    for (const { from, to, typeOnly } of imports) {
      const [a, b] = [folderOf(from), folderOf(to)];
      if (!typeOnly && isOurs(to) && a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
    }
    expect(circleIn(edges)).toBeUndefined();
  });
});

describe('one place for each tool', () => {
  for (const [name, places] of Object.entries(ONLY)) {
    it(`${name} is imported in ${places.join(', ')} alone`, () => {
      const users = imports.filter(
        ({ to, typeOnly }) => !typeOnly && (to === name || to.startsWith(`${name}/`)),
      );
      expect(show(users.filter(({ from }) => !places.some((place) => from.startsWith(place))))).toEqual([]);
    });
  }

  for (const [folder, exceptions] of Object.entries(PURE)) {
    it(`${folder}/ does no I/O`, () => {
      const wrong = imports.filter(
        ({ from, to, typeOnly }) =>
          from.startsWith(`${folder}/`) && !typeOnly && IO.test(to) && !exceptions.includes(from),
      );
      expect(show(wrong)).toEqual([]);
    });
  }
});

it('sees imports at all', () => {
  expect(imports.length).toBeGreaterThan(100);
  expect(imports).toContainEqual({ from: 'state/lock.ts', to: 'shell/processes.ts', typeOnly: false });
  expect(imports).toContainEqual({ from: 'shell/run.ts', to: 'execa', typeOnly: false });
  expect(imports.filter(({ to }) => isOurs(to)).filter(({ to }) => !existsSync(join(SRC, to)))).toEqual([]);
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sourcesIn(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const from = relative(SRC, path);
  const statements = text.matchAll(/^(?:import|export)\s+(?:([^'";]*?)\s+from\s+)?'([^']+)'/gm);
  const calls = text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g);
  return [
    ...[...statements].map(([, what = '', to]) => ({
      from,
      to: target(path, to!),
      typeOnly: isTypeOnly(what),
    })),
    ...[...calls].map(([, to]) => ({ from, to: target(path, to!), typeOnly: false })),
  ];
}

/** `import type …`, or braces in which every name is a type. */
function isTypeOnly(what: string): boolean {
  if (/^type\b/.test(what)) return true;
  const names = /^\{([\s\S]*)\}$/.exec(what.trim())?.[1];
  return (
    names
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean)
      .every((name) => name.startsWith('type ')) ?? false
  );
}

function target(path: string, to: string): string {
  return to.startsWith('.') ? relative(SRC, join(dirname(path), to)) : to;
}

function isOurs(to: string): boolean {
  return to.endsWith('.ts') && !to.startsWith('.');
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path;
}

function show(wrong: readonly Import[]): string[] {
  return wrong.map(({ from, to }) => `${from} → ${to}`);
}

function circleIn(edges: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const done = new Set<string>();
  const visit = (at: string, way: readonly string[]): string | undefined => {
    if (way.includes(at)) return [...way.slice(way.indexOf(at)), at].join(' → ');
    if (done.has(at)) return undefined;
    for (const next of edges.get(at) ?? []) {
      const found = visit(next, [...way, at]);
      if (found) return found;
    }
    done.add(at);
    return undefined;
  };
  for (const start of edges.keys()) {
    const found = visit(start, []);
    if (found) return found;
  }
  return undefined;
}
