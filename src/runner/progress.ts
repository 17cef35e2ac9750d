import type { Colours } from '../cli/colours.ts';
import { pad } from '../cli/table.ts';
import { describe, type Plan, type Step } from '../plan/plan.ts';
import { seconds } from '../text.ts';
import type { Run, StepResult } from './run.ts';

/** How a run is shown while it goes on. */
export interface Progress {
  readonly plan: Plan;
  readonly run: Run;
  /** "127.64.1.9  httpd, page SITE1", for a node that is done. */
  readonly about: (node: string) => string;
  readonly colours: Colours;
  readonly write: (line: string) => void;
}

/** Lines as nodes finish, for pipes and files. */
export async function showPlain({ plan, run, about, colours, write }: Progress): Promise<void> {
  const nodes = nodesOf(plan);
  const width = Math.max(...nodes.map((node) => node.length));
  await Promise.all(
    nodes.map(async (node) => {
      const steps = plan.steps.filter((step) => step.node === node);
      const results = await Promise.all(steps.map((step) => run.results.get(step.id)!));
      // What a new node needs goes without saying; a change of an old one is told step by step.
      if (!isNew(steps)) {
        for (const { step, state, ms } of results)
          if (state === 'done')
            write(`    ${pad(node, width)}  ${describe(step.op)}  because ${step.why}  ${seconds(ms)}`);
      }
      write(`  ${mark(results, colours)} ${pad(node, width)}  ${nodeLine(results, about(node), colours)}`);
    }),
  );
}

/** A tree that moves, for a terminal. */
export async function showTree({ plan, run, about, colours }: Progress): Promise<void> {
  const { Listr } = await import('listr2'); // slow to load, and only needed where something is to be done
  const nodes = nodesOf(plan);
  const width = Math.max(...nodes.map((node) => node.length));
  const tree = new Listr(
    nodes.map((node) => {
      const steps = plan.steps.filter((step) => step.node === node);
      return {
        title: node,
        task: async (_: unknown, task: { title: string; newListr: (...args: never[]) => unknown }) => {
          const results = Promise.all(steps.map((step) => run.results.get(step.id)!));
          void results.then((all) => {
            task.title = `${pad(node, width)}  ${nodeLine(all, about(node), colours)}`;
          });
          return task.newListr(
            ...([steps.map((step) => stepTask(step, run)), { concurrent: false }] as never[]),
          );
        },
      };
    }) as never,
    {
      concurrent: true,
      exitOnError: false,
      rendererOptions: {
        collapseSubtasks: true,
        collapseErrors: true,
        showErrorMessage: false,
        removeEmptyLines: true,
      },
    },
  );
  await tree.run().catch(() => undefined); // failures are told by whoever started the run
}

function stepTask(step: Step, run: Run): { title: string; task: () => Promise<void> } {
  return {
    title: `${describe(step.op)}  because ${step.why}`,
    task: async () => {
      const { state } = await run.results.get(step.id)!;
      if (state !== 'done') throw new Error(state);
    },
  };
}

function nodesOf(plan: Plan): string[] {
  return [...new Set(plan.steps.map((step) => step.node))];
}

function isNew(steps: readonly Step[]): boolean {
  return steps.some((step) => step.op.kind === 'create');
}

function mark(results: readonly StepResult[], c: Colours): string {
  return results.every(({ state }) => state === 'done') ? c.green('✔') : c.red('✖');
}

function nodeLine(results: readonly StepResult[], about: string, c: Colours): string {
  const took = c.dim(seconds(results.reduce((sum, { ms }) => sum + ms, 0)));
  const failed = results.find(({ state }) => state === 'failed');
  if (failed) return `${describe(failed.step.op)} failed  ${took}`;
  if (results.some(({ state }) => state === 'skipped')) return 'not finished';
  return results.some(({ step }) => step.op.kind === 'destroy') ? `gone  ${took}` : `${about}  ${took}`;
}
