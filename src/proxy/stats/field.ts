/**
 * A table of figures in the forms that HAProxy's tools read (management manual, sections 9.1 to 9.3): typed lines
 * and JSON. One field is one row of a table, whatever the form.
 */
export type Value = string | number | undefined;
export type FieldType = 'str' | 's32' | 'u32' | 'u64';

export interface Field {
  readonly position: number;
  readonly name: string;
  /** Origin, nature, scope; one letter each, as `MGP`: metric, gauge, of the process. */
  readonly tags: string;
  readonly type: FieldType;
  readonly doc: string;
  readonly value: string | number;
}

const ORIGINS: Readonly<Record<string, string>> = {
  M: 'Metric',
  S: 'Status',
  K: 'Key',
  C: 'Config',
  P: 'Product',
};
const NATURES: Readonly<Record<string, string>> = {
  G: 'Gauge',
  L: 'Limit',
  m: 'Min',
  M: 'Max',
  R: 'Rate',
  C: 'Counter',
  D: 'Duration',
  A: 'Age',
  T: 'Time',
  N: 'Name',
  O: 'Output',
  a: 'Avg',
};
const SCOPES: Readonly<Record<string, string>> = { C: 'Cluster', P: 'Process', S: 'Service', Y: 'System' };

/** `1:MGP:u32:17`, what follows a field's name in the typed form; the process is always number 1. */
export function typedValue({ tags, type, value }: Field): string {
  return `1:${tags}:${type}:${value}`;
}

/** Members of a field's JSON object, in HAProxy's order. */
export function jsonField({ position, name, tags, type, value }: Field): object {
  return {
    field: { pos: position, name },
    processNum: 1,
    tags: { origin: ORIGINS[tags[0]!], nature: NATURES[tags[1]!], scope: SCOPES[tags[2]!] },
    value: { type, value },
  };
}
