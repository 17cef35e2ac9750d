import * as z from 'zod';
import { topologySchema } from './schema.ts';
import type { Path } from './source.ts';

/** The part of JSON schema (draft 2020-12) that zod writes for our schema. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

let made: JsonSchema | undefined;

/** JSON schema of a topology file, for editors. */
export function topologyJsonSchema(): JsonSchema {
  made ??= makeJsonSchema();
  return made;
}

function makeJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(topologySchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      // `web1:` with nothing after it is a node too.
      if (path.join('/') === 'properties/nodes/additionalProperties') {
        (jsonSchema as { type: unknown }).type = ['object', 'null'];
      }
    },
  });
  return { ...(schema as JsonSchema), title: 'lablb topology' };
}

/** The keys that the mapping at `path` may have; none where any key may stand. */
export function keysAt(path: Path): string[] {
  let here = branches(topologyJsonSchema());
  for (const key of path) {
    here = here.flatMap((schema) => branches(stepInto(schema, key)));
  }
  return [...new Set(here.flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/**
 * Mappings that may have this key, `defaults` or `nodes.<name>`: those inside of the mapping at `around` before others,
 * and of these those nearest to the top of the file. What is deep inside of another is something else by the same name.
 */
export function mappingsWith(key: string, around: Path): string[] {
  const found = mappings(topologyJsonSchema(), []).filter(({ schema }) =>
    Object.hasOwn(schema.properties ?? {}, key),
  );
  const inside = found.filter(({ path }) =>
    around.every((step, index) => path[index] === step || path[index] === ANY),
  );
  const near = inside.length > 0 ? inside : found.filter(({ path }) => depthOf(path) === 1);
  const least = Math.min(...near.map(({ path }) => depthOf(path)));
  const nearest = near.filter(({ path }) => depthOf(path) === least);
  return [...new Set(nearest.map(({ path }) => path.join('.')))];
}

/** Any name is no step down: a node is as near as `defaults`. */
function depthOf(path: readonly string[]): number {
  return path.filter((step) => step !== ANY).length;
}

const ANY = '<name>';

function mappings(
  schema: JsonSchema,
  path: readonly string[],
): { schema: JsonSchema; path: readonly string[] }[] {
  return branches(schema).flatMap((branch) => [
    { schema: branch, path },
    ...Object.entries(branch.properties ?? {}).flatMap(([key, inner]) => mappings(inner, [...path, key])),
    ...(typeof branch.additionalProperties === 'object'
      ? mappings(branch.additionalProperties, [...path, ANY])
      : []),
  ]);
}

/** The schema itself, or what a value of it may alternatively be. */
function branches(schema: JsonSchema | undefined): readonly JsonSchema[] {
  return schema ? (schema.anyOf ?? [schema]) : [];
}

function stepInto(schema: JsonSchema, key: string | number): JsonSchema | undefined {
  if (typeof key === 'number') return schema.items;
  const more = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  return Object.hasOwn(schema.properties ?? {}, key) ? schema.properties![key] : more;
}
