import type { LabError } from '../errors.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { LabProvider } from '../providers/provider.ts';

/** Why steps of a plan would fail, as far as that can be told without doing them. */
export async function foresee({ steps }: Plan, provider: LabProvider): Promise<readonly LabError[]> {
  const nodes = [...new Set(steps.filter(mayBeImpossible).map(({ node }) => node))];
  return (await provider.foresee?.(nodes)) ?? [];
}

/** To reach a node, to make it, and what others need for that. */
function mayBeImpossible({ op }: Step): boolean {
  return (
    op.kind === 'create' ||
    op.kind === 'reach' ||
    (op.kind === 'configure' && op.setting.startsWith('profile '))
  );
}
