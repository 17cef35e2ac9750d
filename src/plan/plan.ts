import { EXIT, LabError } from '../errors.ts';
import type { Observed, ObservedFault, ObservedNode, ObservedService } from '../providers/provider.ts';
import type { Desired, DesiredFile, DesiredNode, DesiredService } from './desired.ts';
import { nameInLab, whyGone } from './moved.ts';

export type ServiceAction = 'start' | 'restart' | 'reload' | 'stop';

export type Op =
  | { readonly kind: 'create'; readonly as: readonly string[] }
  /** Of a node that is there; what it holds is not known before. */
  | { readonly kind: 'start' }
  | { readonly kind: 'address' }
  /** Find out how it is; what it needs is not known before. */
  | { readonly kind: 'reach' }
  | { readonly kind: 'configure'; readonly setting: string }
  | { readonly kind: 'install'; readonly packages: readonly string[] }
  | { readonly kind: 'push'; readonly path: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'allow'; readonly guard: string; readonly what: string }
  | { readonly kind: 'forbid'; readonly guard: string; readonly what: string }
  | { readonly kind: 'service'; readonly service: string; readonly action: ServiceAction }
  | { readonly kind: 'heal'; readonly service: string; readonly how: string }
  | { readonly kind: 'destroy' };

export interface Step {
  /** `node:what`, e.g. `web1:push:/etc/hosts`. */
  readonly id: string;
  readonly node: string;
  readonly op: Op;
  /** A clause for "because …". */
  readonly why: string;
  /** Ids of the steps that must be done before. */
  readonly needs: readonly string[];
}

export interface Plan {
  readonly lab: string;
  readonly steps: readonly Step[];
}

export interface PlanOptions {
  /** Only these nodes. */
  readonly only?: readonly string[];
  /** Do everything again, needed or not. */
  readonly force?: boolean;
  /** Path → why its content is another than the last time, where there is more to say than that it is. */
  readonly reasons?: ReadonlyMap<string, string>;
}

/**
 * The difference between what should be and what is, as steps with reasons. Pure; nothing to do is no step, and
 * what lablb did not make is left alone.
 */
export function makePlan(desired: Desired, observed: Observed, options: PlanOptions = {}): Plan {
  const steps = [
    ...desired.nodes.flatMap((node) => chain(stepsOf(node, observed.nodes.get(node.name), options))),
    ...[...observed.nodes]
      .filter(([name, seen]) => isOurs(seen) && !desired.nodes.some((node) => node.name === name))
      .map(([name]) => step(name, { kind: 'destroy' }, whyGone(name, desired.nodes))),
  ];
  const kept = options.only ? steps.filter((s) => options.only!.includes(nameInLab(s.node))) : steps;
  return deepFreeze({ lab: desired.lab, steps: acrossNodes(kept, desired) });
}

/** A plan without the steps of some nodes, and without those that need them. */
export function setAside(plan: Plan, nodes: readonly string[]): { rest: Plan; aside: readonly Step[] } {
  const out = new Set(plan.steps.filter(({ node }) => nodes.includes(node)));
  const ids = new Set([...out].map(({ id }) => id));
  for (let before = -1; before < out.size; ) {
    before = out.size;
    for (const step of plan.steps) {
      if (out.has(step) || !step.needs.some((id) => ids.has(id))) continue;
      out.add(step);
      ids.add(step.id);
    }
  }
  return { rest: { ...plan, steps: plan.steps.filter((step) => !out.has(step)) }, aside: [...out] };
}

/** Some steps of a plan, each still after those that it needed before, whatever was between them. */
export function keepOnly(plan: Plan, wanted: (step: Step) => boolean): Plan {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const kept = new Set(plan.steps.filter(wanted));
  const needsOf = (step: Step): string[] =>
    step.needs.flatMap((id) => {
      const needed = byId.get(id);
      return needed ? (kept.has(needed) ? [id] : needsOf(needed)) : [];
    });
  return { ...plan, steps: [...kept].map((step) => ({ ...step, needs: [...new Set(needsOf(step))] })) };
}

/**
 * The steps of a node that can go in one go with `step`: with a file all other files, and the services that need nothing
 * else. Always the same ones, whichever of them it is.
 */
export function stepsTogether({ steps }: Plan, step: Step): readonly Step[] {
  const ids = new Set(steps.map(({ id }) => id));
  const own = steps.filter(({ node }) => node === step.node);
  const group = own.filter(({ op }) => op.kind === 'push');
  const taken = new Set(group.map(({ id }) => id));
  for (const one of own) {
    if (one.op.kind !== 'service' || taken.size === 0) continue;
    if (!one.needs.every((id) => taken.has(id) || !ids.has(id))) continue;
    taken.add(one.id);
    group.push(one);
  }
  return taken.has(step.id) ? group : [step];
}

/** `push /etc/hosts`, `start service httpd`: what a step does, for people. */
export function describe(op: Op): string {
  switch (op.kind) {
    case 'configure':
      return `set ${op.setting}`;
    case 'install':
      return `install ${op.packages.join(' ')}`;
    case 'push':
      return `write ${op.path}`;
    case 'remove':
      return `remove ${op.path}`;
    case 'allow':
      return `allow ${op.what} in ${op.guard}`;
    case 'forbid':
      return `forbid ${op.what} in ${op.guard} again`;
    case 'service':
      return `${op.action} service ${op.service}`;
    case 'heal':
      return `heal service ${op.service}`;
    case 'address':
      return 'wait for an address';
    case 'destroy':
      return 'take away'; // a machine that is not ours to delete is given back
    default:
      return op.kind;
  }
}

/** @throws LabError `node.foreign` when something of a node's name is there that lablb did not make. */
export function refuseForeign(nodes: readonly string[], observed: Observed): void {
  const foreign = nodes.find((name) => observed.nodes.get(name)?.state === 'foreign');
  if (foreign === undefined) return;
  const problem = observed.nodes.get(foreign)!.problem;
  if (problem !== undefined)
    throw new LabError(`${problem}; nothing was touched`, {
      code: 'node.foreign',
      node: foreign,
      exit: EXIT.refused,
      hints: ['lablb down of that lab', 'another machine'],
    });
  throw new LabError(
    'something of that name is there already, and lablb did not make it; nothing was touched',
    {
      code: 'node.foreign',
      node: foreign,
      exit: EXIT.refused,
      hints: ['another name for the node in the topology', 'take it away yourself if it is not needed'],
    },
  );
}

function stepsOf(node: DesiredNode, seen: ObservedNode | undefined, options: PlanOptions): Step[] {
  if (seen?.state === 'foreign') return [];
  if (seen?.state === 'unreachable') return [step(node.name, { kind: 'reach' }, seen.problem ?? 'no answer')];
  const isNew = !seen || seen.state === 'absent';
  const settings = isNew ? [] : settingSteps(node, seen.settings);
  if (seen?.state === 'stopped')
    return [...settings, step(node.name, { kind: 'start' }, 'it is not running')];
  const create = isNew
    ? [step(node.name, { kind: 'create', as: creationOf(node) }, 'it is not there')]
    : node.settings && seen.address === undefined
      ? [step(node.name, { kind: 'address' }, 'it has none')]
      : [];
  const missing = node.packages.filter((name) => !seen?.packages.has(name));
  const install =
    missing.length > 0
      ? [
          step(
            node.name,
            { kind: 'install', packages: missing },
            missing.length === 1 ? 'it is not installed' : 'they are not installed',
          ),
        ]
      : [];
  const files = fileSteps(node, isNew ? undefined : seen, options);
  const services = serviceSteps(node, isNew ? undefined : seen, files, options.force ?? false);
  const heal = seen?.fault ? [healStep(node.name, seen.fault)] : [];
  return [...settings, ...create, ...heal, ...install, ...files, ...guardSteps(node, seen), ...services];
}

function healStep(node: string, { how, service }: ObservedFault): Step {
  return step(node, { kind: 'heal', service, how }, `it was made to fail by hand: ${how}`);
}

/** What guards do not let through yet, and what lablb once had them let through that nobody needs. */
function guardSteps(node: DesiredNode, seen: ObservedNode | undefined): Step[] {
  return [...(seen?.guards ?? [])].flatMap(([guard, { allows, given }]) => {
    const wanted = node.allows?.[guard] ?? [];
    const missing = allows.has('*') ? [] : wanted.filter(({ what }) => !allows.has(what));
    const unwanted = [...given].filter((what) => !wanted.some((one) => one.what === what));
    return [
      ...missing.map(({ what, why }) => step(node.name, { kind: 'allow', guard, what }, why)),
      ...unwanted.map((what) =>
        step(node.name, { kind: 'forbid', guard, what }, 'the topology no longer asks for it'),
      ),
    ];
  });
}

/** What the provider was told of the node and what it should have been: profiles, devices, limits. */
function settingSteps(node: DesiredNode, seen: ReadonlyMap<string, string> = new Map()): Step[] {
  const wanted = Object.entries(node.settings ?? {});
  const gone = [...seen.keys()].filter((name) => OWN.test(name) && !(name in (node.settings ?? {})));
  return [
    ...wanted.flatMap(([setting, value]) => {
      const now = seen.get(setting);
      if (now === value) return [];
      const why = now === undefined ? 'it is not there' : `it is ${now}, and should be ${value}`;
      return [step(node.name, { kind: 'configure', setting }, why)];
    }),
    ...gone.map((setting) =>
      step(node.name, { kind: 'configure', setting }, 'the topology does not ask for it'),
    ),
  ];
}

/** What a node that is made comes with, for people: values that are more than a word or two are left out. */
function creationOf({ image, settings = {} }: DesiredNode): string[] {
  const told = Object.entries(settings).map(([name, value]) =>
    /^(?:device|profile) /.test(name) ? name : `${name} ${value}`,
  );
  return [...(image === undefined ? [] : [image]), ...told];
}

/** Settings that are a node's alone: one that nobody asks for is drift. A profile is other nodes' too. */
const OWN = /^(?:device|config) /;

function fileSteps(
  node: DesiredNode,
  seen: ObservedNode | undefined,
  { force, reasons }: PlanOptions,
): Step[] {
  const pushes = node.files.flatMap((file) => {
    const why = reasonToPush(file, seen, reasons) ?? (force ? '--force' : undefined);
    return why ? [step(node.name, { kind: 'push', path: file.path }, why)] : [];
  });
  const wanted = new Set(node.files.map((file) => file.path));
  const removals = [...(seen?.files.keys() ?? [])]
    .filter((path) => !wanted.has(path))
    .map((path) => step(node.name, { kind: 'remove', path }, 'the topology no longer asks for it'));
  return [...pushes, ...removals];
}

function reasonToPush(
  file: DesiredFile,
  seen: ObservedNode | undefined,
  reasons: PlanOptions['reasons'],
): string | undefined {
  if (!seen) return 'the node is new';
  const now = seen.files.get(file.path);
  const pushed = seen.pushed.get(file.path);
  if (now === file.sha256) return undefined;
  if (now === undefined) return pushed === undefined ? 'it is not there yet' : 'it was removed by hand';
  if (now !== pushed) return 'it was changed by hand';
  return reasons?.get(file.path) ?? 'its content follows the topology, which changed';
}

function serviceSteps(
  node: DesiredNode,
  seen: ObservedNode | undefined,
  files: readonly Step[],
  force: boolean,
): Step[] {
  const wanted = node.services.flatMap((service) => {
    // Healed, it runs; whether with what it should is seen by the next look.
    if (service.name === seen?.fault?.service) return [];
    const found = reasonForService(service, seen?.services.get(service.name), files, force);
    return found
      ? [step(node.name, { kind: 'service', service: service.name, action: found.action }, found.why)]
      : [];
  });
  const unwanted = [...(seen?.services ?? [])]
    .filter(([name, service]) => service.running && !node.services.some((s) => s.name === name))
    .map(([name]) =>
      step(
        node.name,
        { kind: 'service', service: name, action: 'stop' },
        'the topology no longer asks for it',
      ),
    );
  // What is no longer wanted may hold the ports of what is: first out, then in.
  return [...unwanted, ...wanted];
}

function reasonForService(
  service: DesiredService,
  seen: ObservedService | undefined,
  files: readonly Step[],
  force: boolean,
): { action: ServiceAction; why: string } | undefined {
  if (!seen) return { action: 'start', why: 'it is not there yet' };
  if (!seen.running) return { action: 'start', why: 'it is not running' };
  if (!seen.enabled) return { action: 'start', why: 'it would not start with the node' };
  if (seen.revision === undefined) return { action: 'start', why: 'it was not started by lablb' };
  const changed = files.flatMap((s) =>
    'path' in s.op && service.watch.includes(s.op.path) ? [basename(s.op.path)] : [],
  );
  if (changed.length > 0 && seen.revision !== service.revision)
    return { action: service.onChange, why: `${changed.join(', ')} changed` };
  if (seen.revision !== service.revision)
    return { action: service.onChange, why: 'it runs with an older configuration or build' };
  return force ? { action: service.onChange, why: '--force' } : undefined;
}

/** Within a node one after another. */
function chain(steps: readonly Step[]): Step[] {
  return steps.map((s, i) => (i === 0 ? s : { ...s, needs: [steps[i - 1]!.id] }));
}

/** Between nodes: what a node is there for starts after the services of those it depends on; a node that goes, goes first. */
function acrossNodes(steps: readonly Step[], desired: Desired): Step[] {
  const leaving = steps.filter((s) => s.op.kind === 'destroy').map((s) => s.id);
  const brings = (s: Step): boolean => s.op.kind === 'service' && s.op.action !== 'stop';
  return steps.map((s) => {
    const before = desired.nodes.find((node) => node.name === s.node && isMain(s, node))?.after ?? [];
    const others = steps
      .filter((o) => before.includes(o.node) && o.node !== s.node && brings(o))
      .map((o) => o.id);
    const freed = s.op.kind === 'create' || s.op.kind === 'start' ? leaving : [];
    return { ...s, needs: [...s.needs, ...others, ...freed] };
  });
}

function isMain({ op }: Step, { services }: DesiredNode): boolean {
  return (
    op.kind === 'service' &&
    op.action !== 'stop' &&
    services.some(({ name, main }) => main && name === op.service)
  );
}

function step(node: string, op: Op, why: string): Step {
  const detail =
    'path' in op
      ? `:${op.path}`
      : op.kind === 'service' || op.kind === 'heal'
        ? `:${op.service}`
        : op.kind === 'configure'
          ? `:${op.setting}`
          : 'guard' in op
            ? `:${op.guard}:${op.what}`
            : '';
  const verb = op.kind === 'service' ? op.action : op.kind;
  return { id: `${node}:${verb}${detail}`, node, op, why, needs: [] };
}

function isOurs(seen: ObservedNode): boolean {
  return seen.state === 'running' || seen.state === 'stopped';
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
