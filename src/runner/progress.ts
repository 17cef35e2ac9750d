import type { Colours } from '../cli/colours.ts';
import { pad } from '../cli/table.ts';
import { LabError } from '../errors.ts';
import { describe, type Plan, type Step } from '../plan/plan.ts';
import { seconds } from '../text.ts';
import type { Run, StepResult } from './run.ts';

/** How a run is shown while it goes on. */
export interface Progress {
  readonly plan: Plan;
  readonly run: Run;
  /** "127.64.1.9  httpd, page SITE1", for a node that is done. */
  readonly about: (node: string) => string;
  /** Nodes that are not done with what the plan has for them. */
  readonly waiting: ReadonlySet<string>;
  /** Nodes that are made in this run: what they need goes without saying. */
  readonly made: ReadonlySet<string>;
  readonly colours: Colours;
  readonly write: (line: string) => void;
}

/** Whether lines can be drawn over: a terminal, wide enough that they do not wrap, and not a dumb one. */
export function canRedraw(stream: { isTTY?: boolean; columns?: number }, env = process.env): boolean {
  return stream.isTTY === true && (stream.columns ?? 0) >= 60 && env.TERM !== 'dumb' && !env.CI;
}

/** Lines as nodes finish, for pipes and files. */
export async function showPlain({
  plan,
  run,
  about,
  waiting,
  made,
  colours,
  write,
}: Progress): Promise<void> {
  const nodes = [...new Set([...nodesOf(plan), ...waiting])];
  const width = Math.max(...nodes.map((node) => node.length));
  const tell = async (node: string): Promise<void> => {
    const steps = plan.steps.filter((step) => step.node === node);
    const results = await Promise.all(steps.map((step) => run.results.get(step.id)!));
    // A change of an old node is told step by step.
    if (!made.has(node)) {
      for (const { step, state, ms } of results)
        if (state === 'done')
          write(`    ${pad(node, width)}  ${describe(step.op)}  because ${step.why}  ${seconds(ms)}`);
    }
    const mark = isDone(results, waiting.has(node)) ? colours.green('✔') : colours.red('✖');
    write(`  ${mark} ${pad(node, width)}  ${nodeLine(results, about(node), waiting.has(node), colours)}`);
  };
  await Promise.all(nodesOf(plan).map(tell));
  for (const node of nodes) if (!plan.steps.some((step) => step.node === node)) await tell(node);
}

/**
 * A tree that moves, for a terminal: a line a node and under it the step in hand. Steps are no tasks of the tree,
 * for it draws itself anew at each change of each task, which costs more than what most steps do.
 */
export async function showTree({ plan, run, about, waiting, made, colours }: Progress): Promise<void> {
  const { Listr } = await import('listr2'); // slow to load, and only needed where something is to be done
  const nodes = [...new Set([...nodesOf(plan), ...waiting])];
  const width = Math.max(...nodes.map((node) => node.length));
  const tasks = nodes.map((node) => {
    const steps = plan.steps.filter((step) => step.node === node);
    return {
      title: node,
      // The steps of an old node stay.
      rendererOptions: {
        persistentOutput: !made.has(node),
        outputBar: made.has(node) ? 1 : Number.POSITIVE_INFINITY,
      },
      task: async (_: unknown, task: { title: string; output: string }) => {
        const results: StepResult[] = [];
        for (const step of steps) {
          if (made.has(node)) task.output = told(step);
          const result = await run.results.get(step.id)!;
          results.push(result);
          if (!made.has(node) && result.state === 'done')
            task.output = `${told(step)}  ${seconds(result.ms)}`;
        }
        task.title = `${pad(node, width)}  ${nodeLine(results, about(node), waiting.has(node), colours)}`;
        if (!isDone(results, waiting.has(node))) throw new Error(task.title);
      },
    };
  });
  const rendererOptions = { collapseErrors: false, showErrorMessage: false };
  const tree = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    rendererOptions,
    registerSignalListeners: false, // Ctrl-C is the command's: it ends the run between two steps
  });
  await tree.run();
}

function told(step: Step): string {
  return `${describe(step.op)}  because ${step.why}`;
}

function wasInterrupted(error: unknown): boolean {
  return error instanceof LabError && error.fields.code === 'interrupted';
}

function nodesOf(plan: Plan): string[] {
  return [...new Set(plan.steps.map((step) => step.node))];
}

function isDone(results: readonly StepResult[], waits: boolean): boolean {
  return !waits && results.every(({ state }) => state === 'done');
}

function nodeLine(results: readonly StepResult[], about: string, waits: boolean, c: Colours): string {
  const took = c.dim(seconds(results.reduce((sum, { ms }) => sum + ms, 0)));
  const failed = results.find(({ state }) => state === 'failed');
  if (failed)
    return `${describe(failed.step.op)} ${wasInterrupted(failed.error) ? 'interrupted' : 'failed'}  ${took}`;
  if (waits || results.some(({ state }) => state === 'skipped')) return 'not finished';
  return results.some(({ step }) => step.op.kind === 'destroy') ? `gone  ${took}` : `${about}  ${took}`;
}
