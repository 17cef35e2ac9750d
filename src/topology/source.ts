import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Range,
  visit,
} from 'yaml';
import type { Diagnostic, Place } from '../errors.ts';
import { type Environment, hasMaskCharacters, maskReferences, substitute, unmask } from './environment.ts';

/** Keys and indexes from the top of the file: `['nodes', 'web1', 'port']`. */
export type Path = readonly (string | number)[];

/** A YAML text as plain values, which still knows where each of them stands. */
export interface Source {
  readonly value: unknown;
  /** Findings of the syntax and of references to the environment. */
  readonly diagnostics: readonly Diagnostic[];
  /** It could be read as YAML: `value` is what is there, whatever `diagnostics` has to say about parts of it. */
  readonly readable: boolean;
  /** A finding was made about this very value: what stands for it in `value` means nothing. */
  refused(path: Path): boolean;
  /** Where a value, or the key before it, stands; of the nearest value around it when it is not in the file. */
  place(path: Path, part?: 'key' | 'value'): Place;
  has(path: Path): boolean;
  /** Variables of the environment that a value was made from. */
  variables(path: Path): readonly string[];
}

/** More than any lab needs, little enough that a hostile file costs nothing. */
const MAX_CHARACTERS = 256 * 1024;
const MAX_VALUES = 10_000;
const MAX_DEPTH = 32;
/** Nobody reads more. */
export const MAX_FINDINGS = 100;
/** After a few, what the YAML parser says is about what it took the rest of the file for. */
const MAX_SYNTAX_FINDINGS = 5;

/**
 * Reads YAML 1.2 (core schema). `${NAME}` and `${NAME:-default}` are replaced in scalars after parsing, so that
 * what the environment holds can never become structure. Never throws: every mistake is a diagnostic.
 */
export function readSource(text: string, file: string, env: Environment): Source {
  const placeAt = placesIn(text, file);
  const diagnostics: Diagnostic[] = [];
  const entries = new Map<string, Entry>();
  const refused = new Set<string>();

  const refuse: Refuse = (message, range, hint) => {
    if (diagnostics.length >= MAX_FINDINGS) return;
    diagnostics.push({
      severity: 'error',
      message,
      place: range ? placeAt(range[0], range[1]) : placeAt(0, 1),
      hint,
    });
  };

  const source: Source = {
    get value() {
      return value;
    },
    diagnostics,
    get readable() {
      return whole;
    },
    refused: (path) => refused.has(keyOf(path)),
    place: (path, part = 'value') => {
      for (let length = path.length; length >= 0; length--) {
        const entry = entries.get(keyOf(path.slice(0, length)));
        if (!entry) continue;
        const range = length === path.length && part === 'value' ? entry.value : (entry.key ?? entry.value);
        return placeAt(range[0], range[1]);
      }
      return placeAt(0, 1);
    },
    has: (path) => entries.has(keyOf(path)),
    variables: (path) => entries.get(keyOf(path))?.variables ?? [],
  };

  let value: unknown;
  const document = parse(text, refuse);
  let whole = document !== undefined;
  const broken = () => {
    whole = false;
  };
  if (document) value = toValue(document, { entries, refused, env, refuse, broken });
  return source;
}

interface Entry {
  readonly key?: Range;
  readonly value: Range;
  readonly variables?: readonly string[];
}

type Refuse = (message: string, range?: Range | null | readonly [number, number], hint?: string) => void;

/** Offset → place. (The parser's own line counter misses lines inside of what it cannot parse.) */
function placesIn(text: string, file: string): (start: number, end: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (start, end) => {
    const offset = Math.max(0, Math.min(start, text.length));
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { file, line: low + 1, column: offset - starts[low]! + 1, length: Math.max(1, end - start) };
  };
}

function keyOf(path: Path): string {
  return path.join('\0');
}

function parse(text: string, refuse: Refuse): Document.Parsed | undefined {
  if (text.length > MAX_CHARACTERS) {
    refuse(`the file is larger than ${MAX_CHARACTERS / 1024} KiB`);
    return undefined;
  }
  if (hasMaskCharacters(text)) {
    refuse('the file holds characters that are not text (U+FDD0…)');
    return undefined;
  }
  try {
    const document = parseDocument(maskReferences(text), {
      prettyErrors: false,
      version: '1.2',
      uniqueKeys: false, // told by `mapping`, which knows where an empty value ends
    });
    const findings = [...document.errors, ...document.warnings];
    const open = openQuote(document);
    const before = findings.filter(({ pos }) => open === undefined || pos[0] < open[0]);
    if (open) refuse('YAML: this quote is not closed', open);
    for (const { code, message, pos } of before.slice(0, MAX_SYNTAX_FINDINGS)) {
      refuse(YAML_MESSAGES[code] ?? `YAML: ${firstLine(unmask(message))}`, pos);
    }
    return findings.length === 0 ? document : undefined;
  } catch {
    // The parser is recursive: a text nested some thousand levels deep ends its stack.
    refuse('YAML: nested too deeply');
    return undefined;
  }
}

/** The quote that takes the rest of the file for its text. The parser says only that the file ended. */
function openQuote(document: Document.Parsed): readonly [number, number] | undefined {
  const end = document.errors.find(({ message }) => /^Missing closing ["']quote/.test(message))?.pos[0];
  let start: number | undefined;
  if (end !== undefined)
    visit(document, {
      Scalar: (_, { type, range }) => {
        if (type?.startsWith('QUOTE') && range && range[0] < end && end <= range[2]) start = range[0];
      },
    });
  return start === undefined ? undefined : [start, start + 1];
}

/** The parser's findings that people meet most, in our words. */
const YAML_MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a topology is one YAML document: no line of three dashes in it',
  TAB_AS_INDENT: 'YAML: tabs cannot indent; use spaces',
};

function firstLine(message: string): string {
  const line = message.split('\n', 1)[0]!;
  return line.charAt(0).toLowerCase() + line.slice(1);
}

interface Walk {
  readonly entries: Map<string, Entry>;
  readonly refused: Set<string>;
  readonly env: Environment;
  readonly refuse: Refuse;
  /** What the mistake hides could be anything: nothing more is to be said of the values. */
  readonly broken: () => void;
}

function toValue(document: Document.Parsed, { entries, refused, env, refuse, broken }: Walk): unknown {
  const anchors = new Map<string, Node>();
  const open = new Set<Node>();
  let values = 0;
  let aliases = 0;

  return walk(document.contents, []);

  function walk(node: Node | null, path: Path, key?: Range): unknown {
    const range: Range = node?.range ?? key ?? [0, 1, 1];
    entries.set(keyOf(path), { key, value: range });
    if (!node) return null;
    if (++values > MAX_VALUES) {
      broken();
      if (values === MAX_VALUES + 1)
        refuse(`more than ${MAX_VALUES} values (aliases count where they expand)`, range);
      return undefined;
    }
    if (path.length > MAX_DEPTH) {
      broken();
      refuse('nested too deeply', range);
      return undefined;
    }
    if (isAlias(node)) return follow(node.source, range, path);
    // An anchor inside an expanded alias is the one that is already known.
    if (node.anchor && aliases === 0) anchors.set(node.anchor, node);

    open.add(node);
    const value = isMap(node)
      ? mapping(node.items as Pair<Node, Node | null>[], path, range)
      : isSeq(node)
        ? node.items.map((item, index) => walk(item as Node | null, [...path, index]))
        : isScalar(node)
          ? scalar(node.value, range, path, key)
          : undefined;
    open.delete(node);
    return value;
  }

  function follow(name: string, range: Range, path: Path): unknown {
    const target = anchors.get(name);
    if (!target || open.has(target)) broken();
    if (!target) {
      refuse(`no anchor '&${name}' stands before this alias`, range);
      return undefined;
    }
    if (open.has(target)) {
      refuse(`alias '*${name}' stands inside what it names: a cycle`, range);
      return undefined;
    }
    aliases++;
    const value = walk(target, path, entries.get(keyOf(path))?.key);
    aliases--;
    return value;
  }

  function mapping(pairs: Pair<Node, Node | null>[], path: Path, around: Range): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const { key, value } of pairs) {
      const at = key?.range ?? around;
      if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
        refuse('a key must be a word', at);
        continue;
      }
      const name = unmask(String(key.value));
      if (name === '<<') {
        refuse("merge keys '<<' are not YAML 1.2", at, "say it once under 'defaults'");
      } else if (name === '__proto__') {
        refuse("'__proto__' cannot be a key", at);
      } else {
        // What it leaves is as clear as before. An alias shows the same keys again.
        if (Object.hasOwn(object, name) && aliases === 0)
          refuse('this key stands in the same mapping twice', at);
        object[name] = together(object[name], walk(value, [...path, name], at));
      }
    }
    return object;
  }

  function scalar(value: unknown, range: Range, path: Path, key: Range | undefined): unknown {
    if (typeof value !== 'string') {
      if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
      refuse('not a text, a number, true or false', range);
      return undefined;
    }
    const { text, variables, mistakes } = substitute(unmask(value), env);
    for (const { message, hint } of mistakes) refuse(message, range, hint);
    if (variables.length > 0) entries.set(keyOf(path), { key, value: range, variables });
    if (mistakes.length === 0) return text;
    refused.add(keyOf(path));
    return 'unset';
  }
}

/** Two mappings under one key are looked at as one, so that the mistakes of both are found. */
function together(before: unknown, value: unknown): unknown {
  const both = [before, value].every(
    (part) => typeof part === 'object' && part !== null && !Array.isArray(part),
  );
  return both ? { ...(before as object), ...(value as object) } : value;
}
