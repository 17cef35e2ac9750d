import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/proxy/cli.ts';
import { loadConfiguration } from '../../src/proxy/load.ts';
import { parseTopology } from '../../src/topology/parse.ts';
import {
  anchorsOf,
  blocksOf,
  type CommandTable,
  commandProblem,
  commandsIn,
  linksOf,
  npmScriptsIn,
  pathsIn,
} from './pages.ts';

/** Holds what is written for people to what the program does: links, commands, scripts, paths, examples. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [...pagesIn('.'), ...pagesIn('docs'), ...pagesIn('test', true)];
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

it('there are pages', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/README.md']));
});

describe.each(PAGES)('%s', (page) => {
  const source = text(page);

  it('links to files and headings that are there', () => {
    const broken = linksOf(source).filter(({ path, anchor }) => {
      const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(text(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('shows commands that lablb has, with flags that they take', () => {
    const commands = commandTable();
    const wrong = commandsIn(source).flatMap((argv) => {
      const problem =
        argv[0] === 'proxy' && argv.length > 1
          ? engineProblem(argv.slice(1))
          : commandProblem(argv, commands);
      return problem ? [`lablb ${argv.join(' ')}: ${problem}`] : [];
    });
    expect(wrong).toEqual([]);
  });

  it('names npm scripts that there are', () => {
    const { scripts } = JSON.parse(text('package.json'));
    expect(npmScriptsIn(source).filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names files of the project that there are', () => {
    expect(pathsIn(source).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

it('every page of docs/ is in its index', () => {
  const linked = linksOf(text('docs/README.md')).map(({ path }) => `docs/${path}`);
  const pages = pagesIn('docs').filter((page) => page !== 'docs/README.md');
  expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
});

describe('examples', () => {
  const examples = ['README.md', 'docs/from-the-tutorials.md', 'docs/local-lab.md'].flatMap((page) =>
    blocksOf(text(page)).map((block) => ({ page, ...block })),
  );

  it('in YAML are topologies', () => {
    const shown = examples.filter(({ language }) => language === 'yaml');
    expect(shown.length).toBeGreaterThanOrEqual(3);
    for (const { content } of shown) {
      const options = { file: 'docs.lab.yaml', readFile: () => 'bind {{bind}}:{{port}}' };
      expect(() => parseTopology(withNodes(content), options)).not.toThrow();
    }
  });

  it('of haproxy.cfg are good, without a warning', () => {
    const shown = examples.filter(({ content }) => content.startsWith('# haproxy.cfg'));
    expect(shown.length).toBeGreaterThanOrEqual(1);
    for (const { content } of shown) {
      const loaded = loadConfiguration(['haproxy.cfg'], {
        env: {},
        readFile: () => content,
        readDir: () => undefined,
      });
      expect(loaded.diagnostics).toEqual([]);
    }
  });
});

/** A part of a topology that only shows the balancer is a topology with web nodes. */
function withNodes(content: string): string {
  return /^nodes:/m.test(content) ? content : `nodes: { web: { count: 2 } }\n${content}`;
}

/** Own commands from oclif's manifest, those of plugins from theirs. */
function commandTable(): CommandTable {
  const manifests = ['oclif.manifest.json', 'node_modules/@oclif/plugin-autocomplete/oclif.manifest.json'];
  return Object.assign({}, ...manifests.map((path) => JSON.parse(text(path)).commands));
}

/** Why the engine does not take these flags; `FLAGS...` and `…` stand for any. */
function engineProblem(argv: readonly string[]): string | undefined {
  if (/^(FLAGS\.\.\.|…)$/.test(argv[0]!)) return undefined;
  const filled = argv.map((word) => (/^(PIDS?|\$\(.*\))…?$/.test(word) ? '1' : word));
  const parsed = parseArguments(filled);
  return 'problem' in parsed ? parsed.problem : undefined;
}

function pagesIn(folder: string, deep = false): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return deep ? pagesIn(path, true) : [];
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
