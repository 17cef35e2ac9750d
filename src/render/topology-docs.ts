import { type JsonSchema, topologyJsonSchema } from '../topology/json-schema.ts';
import { PROXY_DATA_DOCS } from './proxy-data.ts';

/** docs/topology.md, from the schema and from what templates are given. Pure. */
export function renderTopologyDocs(): string {
  const schema = topologyJsonSchema();
  return (
    [
      HEAD,
      ...sections('', schema).map(({ path, schema: part }) => section(path, part)),
      ENVIRONMENT,
      TEMPLATES,
      table(
        ['Name', 'Meaning'],
        PROXY_DATA_DOCS.map(([name, meaning]) => [`\`${name}\``, meaning]),
      ),
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

const HEAD = `# The topology file

<!-- Written by \`npm run docs\` from src/topology/schema.ts: change it there. -->

One YAML 1.2 file describes a lab. Every key has a default; this is a whole topology:

\`\`\`yaml
nodes:
  web: { count: 2 }
\`\`\`

It gives web1, web2 and a proxy node \`proxyha\`. \`lablb init\` writes a commented file, \`lablb validate
--show-defaults\` prints a file with every default filled in, \`lablb schema\` prints the JSON schema for editors.
Without an argument, commands take the single \`*.lab.yaml\`, \`topology.yaml\` or \`topology.yml\` of the folder.
Every mistake of a file is reported at once, with its place, before anything is touched (exit status 2).
Times are numbers of milliseconds, or texts with a unit: \`500ms\`, \`2s\`, \`1m\`, \`1h\`.`;

const ENVIRONMENT = `## The environment

\`\${NAME}\` and \`\${NAME:-default}\` in a value stand for a variable of the environment; an empty variable counts as
unset, and an unset one without a default is a mistake. \`$\${\` is a literal \`\${\`. Values are put in after the YAML is
read, so they are text, never structure; where a number, \`true\` or \`false\` is wanted, the text is read as one.`;

const TEMPLATES = `## A configuration of your own

\`balancer.config: ./haproxy.cfg\` takes that file as it is. A name that ends in \`.hbs\` is a Handlebars template:
nothing is escaped, a name that does not exist is a mistake, and \`{{word value}}\` writes a value as one word of the
configuration, with quotes where it needs them. \`validate\` and \`up\` have the engine check it before anything is
touched; what it finds is a warning where a proxy node runs HAProxy, and files that only the node has do not count.

\`\`\`handlebars
backend app
    balance leastconn
{{#each webs}}
    server {{name}} {{at}}:{{port}} check
{{/each}}
\`\`\`

What a template can name (absent is \`null\`):`;

interface Section {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** Each mapping with keys of its own, outer before inner. */
function sections(path: string, schema: JsonSchema): Section[] {
  const here = objectOf(schema);
  if (!here) return [];
  const inner = Object.entries(here.properties ?? {}).flatMap(([key, value]) =>
    sections(path ? `${path}.${key}` : key, value),
  );
  const any = typeof here.additionalProperties === 'object' ? here.additionalProperties : undefined;
  const named = any ? sections(`${path}.${path === 'balancer.sites' ? 'HOST' : 'NAME'}`, any) : [];
  return [...(here.properties ? [{ path, schema: here }] : []), ...inner, ...named];
}

/** The mapping that a value is, or may be. */
function objectOf(schema: JsonSchema): JsonSchema | undefined {
  return [schema, ...(schema.anyOf ?? [])].find(
    (s) => s.properties || typeof s.additionalProperties === 'object',
  );
}

function section(path: string, schema: JsonSchema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => [
    `\`${key}\``,
    typeOf(value),
    defaultOf(value),
    cell(value.description ?? ''),
  ]);
  return [
    `## ${path ? `\`${path}\`` : 'Top level'}`,
    table(['Key', 'Type', 'Default', 'Meaning'], rows),
  ].join('\n\n');
}

function typeOf(schema: JsonSchema): string {
  const types = (schema.anyOf ?? [schema]).map(simpleType);
  return cell([...new Set(types)].join(' or '));
}

function simpleType(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.type === 'array') return `list of ${schema.items?.type === 'integer' ? 'numbers' : 'texts'}`;
  if (schema.type === 'integer' || schema.type === 'number') return range(schema);
  if (schema.type === 'boolean') return '`true` `false`';
  return schema.properties || schema.additionalProperties ? 'mapping' : 'text';
}

function range({ minimum, maximum }: JsonSchema): string {
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum === undefined) return 'number';
  return bounded ? `number, ${minimum} to ${maximum}` : `number from ${minimum}`;
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0))
    return '';
  return cell(`\`${typeof value === 'string' ? value : JSON.stringify(value)}\``);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
