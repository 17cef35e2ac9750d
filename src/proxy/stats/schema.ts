/** JSON schema (draft 4) of what `show stat json` and `show info json` print, built from what field.ts can say. */
const text = (values?: readonly string[]): object =>
  values === undefined ? { type: 'string' } : { type: 'string', enum: values };
const whole = (minimum: number, maximum?: number): object => ({
  type: 'integer',
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});

const NUMBERS: readonly [type: string, minimum: number, maximum: number][] = [
  ['s32', -(2 ** 31), 2 ** 31 - 1],
  ['s64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['u32', 0, 2 ** 32 - 1],
  ['u64', 0, Number.MAX_SAFE_INTEGER],
];

const field = {
  type: 'object',
  properties: { pos: whole(0), name: text() },
  required: ['pos', 'name'],
};

const tags = {
  type: 'object',
  properties: {
    origin: text(['Metric', 'Status', 'Key', 'Config', 'Product']),
    nature: text([
      'Gauge',
      'Limit',
      'Min',
      'Max',
      'Rate',
      'Counter',
      'Duration',
      'Age',
      'Time',
      'Name',
      'Output',
      'Avg',
    ]),
    scope: text(['Cluster', 'Process', 'Service', 'System']),
  },
  required: ['origin', 'nature', 'scope'],
};

const value = {
  type: 'object',
  oneOf: [
    ...NUMBERS.map(([type, minimum, maximum]) => ({
      properties: { type: text([type]), value: whole(minimum, maximum) },
      required: ['type', 'value'],
    })),
    { properties: { type: text(['str']), value: text() }, required: ['type', 'value'] },
  ],
};

const info = {
  type: 'object',
  properties: { field, processNum: whole(1), tags, value },
  required: ['field', 'processNum', 'tags', 'value'],
};

const stat = {
  type: 'object',
  properties: {
    objType: text(['Frontend', 'Backend', 'Listener', 'Server']),
    proxyId: whole(0),
    id: whole(0),
    ...info.properties,
  },
  required: ['objType', 'proxyId', 'id', ...info.required],
};

export const JSON_SCHEMA = JSON.stringify({
  $schema: 'http://json-schema.org/draft-04/schema#',
  oneOf: [
    { title: 'Info', type: 'array', items: info },
    { title: 'Stat', type: 'array', items: { type: 'array', items: stat } },
  ],
});
