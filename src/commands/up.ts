import { Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { coloursFor } from '../cli/colours.ts';
import { within } from '../cli/deadline.ts';
import { failureToJson, renderFailures } from '../cli/failure.ts';
import { providerFlag, timeoutFlag, topologyArg } from '../cli/flags.ts';
import { nodeAbout, planLines, upLines } from '../cli/lab-lines.ts';
import { renderDiagnostics } from '../errors.ts';
import { describe } from '../plan/plan.ts';
import { plural } from '../text.ts';
import type { ParseOptions } from '../topology/parse.ts';
import type { ProviderName } from '../topology/topology.ts';

export default class Up extends LabCommand {
  static override summary = 'Bring a lab up, or bring it back to what its topology says';
  static override description =
    'Looks at what is there, does what is missing, and says why. What is right already is left alone, so a second run has nothing to do.';
  static override examples = [
    '<%= config.bin %> up',
    '<%= config.bin %> up topologies/quickstart.yaml --dry-run',
  ];
  static override args = { topology: topologyArg };
  static override flags = {
    'dry-run': Flags.boolean({
      description: 'print the plan, with a reason for each step, and what cannot work; touch nothing',
    }),
    format: Flags.string({
      description: 'how --dry-run shows it: sh is a shell script that does the same by hand',
      options: ['text', 'sh'],
      dependsOn: ['dry-run'],
    }),
    only: Flags.string({
      description: 'only this node (may be given again)',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NODE',
    }),
    parallel: Flags.integer({ description: 'steps at a time', default: 8, min: 1, helpValue: 'N' }),
    timeout: timeoutFlag,
    force: Flags.boolean({ description: 'do every step again, needed or not' }),
    provider: providerFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Up);
    const started = performance.now();
    const [{ loadLab }, { providerFor }, { bringUp, planUp }] = await Promise.all([
      import('../lab/load.ts'),
      import('../providers/providers.ts'),
      import('../lab/up.ts'),
    ]);
    const { scriptOf } = await import('../lab/script.ts');
    const warn: ParseOptions['warn'] = (warnings, sources) =>
      process.stderr.write(`${renderDiagnostics(warnings, sources, { severity: true })}\n`);
    const provided = flags.provider as ProviderName | undefined;
    const topology = this.means(await loadLab(args.topology, provided, warn));
    if (topology.balancer.config) {
      const { refuseOwnConfig } = await import('../cli/own-config.ts');
      const { diagnostics, sources } = await refuseOwnConfig(topology);
      if (diagnostics.length > 0) warn(diagnostics, sources);
    }
    const provider = await providerFor(topology);
    const head = `${this.c.bold(topology.name)} · ${topology.provider} · ${plural(topology.nodes.length, 'node')}`;

    if (flags['dry-run'] && flags.format === 'sh') {
      const script = await scriptOf(topology, provider);
      this.log(script.trimEnd());
      return { script };
    }
    if (flags['dry-run']) {
      const { foresee } = await import('../lab/foresee.ts');
      const { plan, notes } = await planUp(topology, provider, flags);
      const errors = await foresee(plan, provider);
      this.log([head, ...planLines(plan, this.c), ...this.#told(notes)].join('\n'));
      this.#tellFailures(errors);
      return { ...plan, failures: errors.map((error) => failureToJson(this.hinted(error)).error) };
    }

    let announced = false;
    const { desired, results, newPassword, notes } = await bringUp(topology, provider, {
      ...flags,
      signal: within(flags.timeout, this.interruptible()),
      show: async (plan, run, desired, nodes) => {
        const { canRedraw, showPlain, showTree } = await import('../runner/progress.ts');
        if (this.jsonEnabled()) return;
        if (!announced) this.log(head);
        announced = true;
        const show = canRedraw(process.stdout) ? showTree : showPlain;
        const about = (node: string): string => nodeAbout(desired, node);
        await show({ plan, run, about, ...nodes, colours: this.c, write: (line) => this.log(line) });
      },
    });
    const took = performance.now() - started;
    const failures = results.filter(({ state }) => state === 'failed');
    this.#tellFailures(failures.map(({ error }) => error));
    const lines = upLines(topology, desired, results, took, this.c, newPassword);
    this.log(this.typed([...lines, ...this.#told(notes)].join('\n')));
    return {
      lab: topology.name,
      provider: topology.provider,
      seconds: Number((took / 1000).toFixed(3)),
      steps: results.map(({ step, state, ms }) => ({
        id: step.id,
        node: step.node,
        what: describe(step.op),
        why: step.why,
        state,
        ms: Math.round(ms),
      })),
      nodes: desired.nodes.map(({ name, role, address, ports, about }) => ({
        name,
        role,
        address,
        ports,
        about,
      })),
      failures: failures.map(({ error }) => failureToJson(this.hinted(error)).error),
      notes,
    };
  }

  #tellFailures(errors: readonly unknown[]): void {
    if (errors.length > 0) this.fail();
    if (errors.length === 0 || this.jsonEnabled()) return;
    const told = renderFailures(
      errors.map((error) => this.hinted(error)),
      coloursFor(process.stderr),
    );
    process.stderr.write(`${told}\n`);
  }

  #told(notes: readonly string[]): string[] {
    return notes.map((note) => this.c.yellow(`  ${note}`));
  }
}
