import { LabError } from '../errors.ts';
import type { Family } from '../os/family.ts';
import { allowing, forbidding } from '../os/guards.ts';
import type { Op, Step } from '../plan/plan.ts';
import type { Configure, NodeSpec, Provider } from '../providers/provider.ts';

/** What steps are carried out with. */
export interface Hands {
  readonly provider: Provider & Partial<Configure>;
  readonly spec: (node: string) => NodeSpec;
  /** Puts a file of the plan on its node; those of one node may go together. */
  readonly push: (node: string, path: string) => Promise<void>;
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
    await (OPS[step.op.kind] as (step: Step, op: Op, hands: Hands) => Promise<void>)(step, step.op, hands);
  } catch (error) {
    if (!(error instanceof LabError) || error.fields.node) throw error;
    throw new LabError(error.message, { ...error.fields, node: step.node });
  }
}

type Execute<K extends Op['kind']> = (
  step: Step,
  op: Extract<Op, { kind: K }>,
  hands: Hands,
) => Promise<void>;

const OPS: { readonly [K in Op['kind']]: Execute<K> } = {
  create: ({ node }, _, { provider, spec }) => provider.create(spec(node)),
  // To make what is there already is to see that it answers.
  reach: ({ node }, _, { provider, spec }) => provider.create(spec(node)),
  destroy: async ({ node }, _, { provider }) => void (await provider.destroy(node)),
  heal: ({ node }, { service }, hands) =>
    must(node, hands.family(node).heal(service), SERVICE_TIMEOUT_MS, hands),
  configure: async ({ node }, { setting }, { provider }) => provider.configure?.(node, setting),
  push: ({ node }, { path }, { push }) => push(node, path),
  remove: ({ node }, { path }, { provider }) => provider.push(node, { path, content: '', absent: true }),
  install: ({ node }, { packages }, hands) =>
    must(node, hands.family(node).install(packages), INSTALL_TIMEOUT_MS, hands),
  allow: ({ node }, { guard, what }, hands) =>
    must(node, allowing(guard, what, hands.address(node)), SERVICE_TIMEOUT_MS, hands),
  forbid: ({ node }, { guard, what }, hands) =>
    must(node, forbidding(guard, what), SERVICE_TIMEOUT_MS, hands),
  service: ({ node }, { action, service }, hands) =>
    must(node, hands.family(node).service(action, service), SERVICE_TIMEOUT_MS, hands),
};

async function must(node: string, argv: readonly string[], timeoutMs: number, hands: Hands): Promise<void> {
  const { exitStatus, stderr, stdout } = await hands.provider.exec(node, argv, {
    timeoutMs,
    signal: hands.signal,
  });
  if (exitStatus === 0) return;
  throw new LabError('a command failed', {
    code: 'node.command-failed',
    node,
    command: argv,
    exitStatus,
    stderr: stderr || stdout,
  });
}
