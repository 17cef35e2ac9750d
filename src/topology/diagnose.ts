import type * as z from 'zod';
import { type Diagnostic, didYouMean, didYouMeanChoice } from '../errors.ts';
import { keysAt, mappingsWith } from './json-schema.ts';
import { MAX_FINDINGS, type Path, type Source } from './source.ts';

type Issue = z.core.$ZodIssue;

/** What the schema refused, in the words of the file: place, path, a message that says what is wanted. */
export function diagnose(issues: readonly Issue[], source: Source): Diagnostic[] {
  const meant = meantIssues(issues).slice(0, MAX_FINDINGS);
  return meant.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, MAX_FINDINGS).map((key) => unknownKey([...pathOf(issue), key], source));
    }
    const path = pathOf(issue);
    return [finding(source, path, messageFor(issue, path), hintFor(issue, path))];
  });
}

/** A finding about the value (or the key) at `path`. */
export function finding(
  source: Source,
  path: Path,
  message: string,
  hint?: string,
  part: 'key' | 'value' = 'value',
): Diagnostic {
  const name = renderPath(path);
  return {
    severity: 'error',
    message: name ? `${name}: ${message}` : message,
    place: source.place(path, part),
    hint,
  };
}

/** Notes a finding about `path`. */
export type Refuse = (path: Path, message: string, hint?: string, part?: 'key' | 'value') => void;

/** `nodes.web1.names[0]`, `balancer.sites['site1.example.com']`. */
export function renderPath(path: Path): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (/[^\w-]/.test(key)) return `['${key}']`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** Issues of a union are those of the branch that was meant: the one whose type the value has. */
export function meantIssues(issues: readonly Issue[], prefix: Path = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...pathOf(issue)];
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.find(
        (branch) => !branch.some((i) => i.code === 'invalid_type' && i.path.length === 0),
      );
      if (meant) return meantIssues(meant, path);
    }
    return [{ ...issue, path } as Issue];
  });
}

function pathOf(issue: Issue): Path {
  return issue.path as Path;
}

function unknownKey(path: Path, source: Source): Diagnostic {
  const key = String(path.at(-1));
  const known = keysAt(path.slice(0, -1));
  const hint =
    didYouMean(key, known) ??
    elsewhere(path) ??
    (known.length > 0 && known.length <= 14 ? `known: ${known.join(', ')}` : undefined);
  const around = renderPath(path.slice(0, -1));
  return {
    severity: 'error',
    message: `${around ? `${around}: ` : ''}unknown key '${key}'`,
    place: source.place(path, 'key'),
    hint,
  };
}

function elsewhere(path: Path): string | undefined {
  const places = mappingsWith(String(path.at(-1)), path.slice(0, -1)).map((place) => `'${place}'`);
  return places.length > 0 ? `it belongs under ${places.join(' or ')}` : undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function messageFor(issue: Issue, path: Path): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && path.length > 0
        ? 'is missing'
        : `must be ${TYPES[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return typeof issue.input === 'string'
        ? `unknown ${String(path.at(-1))} '${issue.input}'`
        : `must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      return sized(issue.origin, 'at least', Number(issue.minimum));
    case 'too_big':
      return sized(issue.origin, 'at most', Number(issue.maximum));
    case 'invalid_union':
      return `must be ${unionTypes(issue.errors)}, not ${kindOf(issue.input)}`;
    default:
      return issue.message;
  }
}

/** What is to be written where something of another shape stands; `*` is any key. */
const FORMS: readonly (readonly [path: string, hint: string])[] = [
  ['nodes', "a name and a colon for each: 'web1:', or 'web: {count: 2}'"],
  ['nodes.*', "its settings by name, such as '{count: 3}'"],
  ['nodes.*.limits.memory', "with its unit: '512MiB'"],
  ['defaults.limits.memory', "with its unit: '512MiB'"],
  ['balancer.sites.*', "name its web nodes, for example '[web1, web2]'"],
];

function formAt(path: Path): string | undefined {
  const fits = (form: readonly string[]): boolean =>
    form.length === path.length && form.every((key, index) => key === '*' || key === path[index]);
  return FORMS.find(([form]) => fits(form.split('.')))?.[1];
}

function hintFor(issue: Issue, path: Path): string | undefined {
  const form = ['invalid_type', 'invalid_union'].includes(issue.code) ? formAt(path) : undefined;
  if (form !== undefined) return form;
  if (issue.code === 'invalid_type') {
    if (issue.expected === 'string' && typeof issue.input === 'number') return 'put it between quotes';
    const numeric = typeof issue.input === 'string' && /^\d+$/.test(issue.input);
    return numeric && TYPES[issue.expected]?.endsWith('number') ? 'without quotes' : undefined;
  }
  if (issue.code !== 'invalid_value') return undefined;
  const values = issue.values.map(String);
  const near = typeof issue.input === 'string' ? didYouMeanChoice(issue.input, values) : undefined;
  return near ?? `known: ${values.join(', ')}`;
}

function sized(origin: string, bound: string, size: number): string {
  if (origin === 'number' || origin === 'int') return `must be ${bound} ${size}`;
  if (size === 1 && bound === 'at least') return 'must not be empty';
  return `must have ${bound} ${size} ${origin === 'string' ? 'characters' : 'entries'}`;
}

function unionTypes(branches: readonly (readonly Issue[])[]): string {
  const names = branches
    .flat()
    .flatMap((issue) => (issue.code === 'invalid_type' ? [TYPES[issue.expected]] : []));
  return [...new Set(names)].join(' or ') || 'something else';
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? TYPES.string! : String(value);
}
