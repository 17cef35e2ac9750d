import { familyOf } from '../os/families.ts';
import { type Plan, type Step, stepsTogether } from '../plan/plan.ts';
import type { LabProvider, SweepResult } from '../providers/provider.ts';
import type { Wish } from '../roles/desire.ts';
import { commandFailed } from '../runner/execute.ts';

/**
 * Carries out steps of a node in one go, where the provider can: the first of them to come up takes the others along.
 * Undefined for a step that goes alone.
 */
export function togetherFor(
  provider: LabProvider,
  { files, desired }: Wish,
  plan: Plan,
  signal: AbortSignal | undefined,
): (step: Step) => Promise<void> | undefined {
  const underWay = new Map<string, Promise<SweepResult>>();
  const family = (node: string) => familyOf(desired.nodes.find(({ name }) => name === node)?.family);

  const begin = (node: string, steps: readonly Step[]): Promise<SweepResult> => {
    const put = steps.flatMap(({ op }) => (op.kind === 'push' ? [files.get(node)!.get(op.path)!] : []));
    const commands = commandsOf(steps).map((op) => family(node).service(op.action, op.service));
    if (provider.sweep) return provider.sweep(node, put, commands, { signal });
    return provider.pushAll!(node, put).then(() => ({ done: 0 }));
  };

  return (step) => {
    const { kind } = step.op;
    const able =
      kind === 'service' ? provider.sweep : kind === 'push' && (provider.sweep ?? provider.pushAll);
    if (!able) return undefined;
    const steps = stepsTogether(plan, step);
    const key = steps[0]!.id;
    const all = underWay.get(key) ?? begin(step.node, steps);
    underWay.set(key, all);
    return all.then(({ done, failure }) => {
      if (!failure || !('action' in step.op)) return;
      const commands = commandsOf(steps);
      if (commands.indexOf(step.op) < done) return;
      const argv = family(step.node).service(step.op.action, step.op.service);
      throw commandFailed(step.node, step.op, argv, failure);
    });
  };
}

function commandsOf(steps: readonly Step[]) {
  return steps.flatMap(({ op }) => (op.kind === 'service' ? [op] : []));
}
