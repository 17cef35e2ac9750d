import { LabError } from '../errors.ts';
import type { Family } from '../os/family.ts';
import { allowing, forbidding } from '../os/guards.ts';
import { describe, type Op, type Step } from '../plan/plan.ts';
import type {
  Background,
  Configure,
  ExecResult,
  FileSpec,
  NodeSpec,
  Provider,
} from '../providers/provider.ts';
import { inWords, isSystemError, systemHints } from '../system-error.ts';

/** What steps are carried out with. */
export interface Hands {
  readonly provider: Provider & Partial<Background & Configure>;
  readonly spec: (node: string) => NodeSpec;
  /** A file of the plan. */
  readonly file: (node: string, path: string) => FileSpec;
  /** Carries out a step together with others of its node; undefined for one that goes alone. */
  readonly together: (step: Step) => Promise<void> | undefined;
  readonly family: (node: string) => Family;
  /** Where the node is, if that is known. */
  readonly address: (node: string) => string | undefined;
  readonly signal?: AbortSignal;
}

const SERVICE_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 600_000;

/** Carries out one step. @throws LabError that names the node. */
export async function execute(step: Step, hands: Hands): Promise<void> {
  try {
    const alone = OPS[step.op.kind] as (step: Step, op: Op, hands: Hands) => Promise<void>;
    await (hands.together(step) ?? alone(step, step.op, hands));
  } catch (error) {
    if (isSystemError(error)) {
      const hints = systemHints(error);
      throw new LabError(inWords(error), { code: error.code, node: step.node, hints, cause: error });
    }
    if (!(error instanceof LabError) || error.fields.node) throw error;
    throw new LabError(error.message, { ...error.fields, node: step.node });
  }
}

type Execute<K extends Op['kind']> = (
  step: Step,
  op: Extract<Op, { kind: K }>,
  hands: Hands,
) => Promise<void>;

/** To make what is there already is to start it, and to see that it answers. */
function make({ node }: Step, _: Op, { provider, spec }: Hands): Promise<void> {
  return provider.create(spec(node));
}

const OPS: { readonly [K in Op['kind']]: Execute<K> } = {
  create: make,
  start: make,
  address: make,
  reach: make,
  destroy: async ({ node }, _, { provider }) => void (await provider.destroy(node)),
  heal: ({ node, op }, { service }, hands) =>
    must(node, op, hands.family(node).heal(service), SERVICE_TIMEOUT_MS, hands),
  configure: async ({ node }, { setting }, { provider }) => provider.configure?.(node, setting),
  push: ({ node }, { path }, { provider, file }) => provider.push(node, file(node, path)),
  remove: ({ node }, { path }, { provider }) => provider.push(node, { path, content: '', absent: true }),
  install: async ({ node, op }, { packages }, hands) => {
    // Planned before the node was there: it may have come with them.
    const there = hands.provider.packagesOf?.(node);
    const missing = packages.filter((name) => !there?.has(name));
    if (missing.length > 0)
      await must(node, op, hands.family(node).install(missing), INSTALL_TIMEOUT_MS, hands);
  },
  allow: ({ node, op }, { guard, what }, hands) =>
    must(node, op, allowing(guard, what, hands.address(node)), SERVICE_TIMEOUT_MS, hands),
  forbid: ({ node, op }, { guard, what }, hands) =>
    must(node, op, forbidding(guard, what), SERVICE_TIMEOUT_MS, hands),
  service: ({ node, op }, { action, service }, hands) =>
    must(node, op, hands.family(node).service(action, service), SERVICE_TIMEOUT_MS, hands),
};

async function must(
  node: string,
  op: Op,
  argv: readonly string[],
  timeoutMs: number,
  hands: Hands,
): Promise<void> {
  const result = await hands.provider.exec(node, argv, {
    timeoutMs,
    signal: hands.signal,
    onlyFailures: true,
  });
  if (result.exitStatus !== 0) throw commandFailed(node, op, argv, result);
}

export function commandFailed(
  node: string,
  op: Op,
  command: readonly string[],
  { exitStatus, stderr, stdout }: ExecResult,
): LabError {
  return new LabError(`could not ${describe(op)}`, {
    code: 'node.command-failed',
    node,
    command,
    exitStatus,
    stderr: stderr || stdout,
    hints: 'service' in op ? [`lablb logs ${node}`] : undefined,
  });
}
