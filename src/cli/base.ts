import { Command } from '@oclif/core';
import { EXIT, LabError } from '../errors.ts';
import { type Colours, coloursFor } from './colours.ts';
import { exitStatusOf, failureToJson, interrupted, renderFailure } from './failure.ts';
import { type Meant, typedHere } from './typed.ts';
import { usageError } from './usage.ts';

/**
 * What every command of lablb shares: refusals rendered once, at the edge; `--json` (the value that `run`
 * returns, and nothing else on standard output); exit statuses; Ctrl-C.
 *
 * A command prints with `this.log` (silent under `--json`), returns its report as a plain value, and throws
 * ConfigError, LabError or ProxyError for what did not work. A report about something that failed (a test that
 * does not hold) is returned after `this.fail()`.
 */
export abstract class LabCommand extends Command {
  static override enableJsonFlag = true;

  /** Colours for standard output. */
  protected readonly c: Colours = coloursFor(process.stdout);

  #meant?: Meant;

  /** Notes which lab the command is about, so that what it hints at can be typed as it stands. */
  protected means<L extends Meant>(lab: L): L {
    this.#meant = lab;
    return lab;
  }

  /** A text with commands in it, as they are right here for the lab that is meant. */
  protected typed(text: string): string {
    return this.#meant ? typedHere(text, this.#meant) : text;
  }

  /** Exit status 1 (or another) although `run` returns normally. */
  protected fail(status: number = EXIT.failed): void {
    process.exitCode = status;
  }

  /**
   * A signal that aborts on Ctrl-C, SIGTERM, or when the terminal is closed. The second one ends the process at once.
   * Commands that never call this keep the usual: the first Ctrl-C ends them. `hints`: what to try next, for a
   * command that leaves nothing half done.
   */
  protected interruptible(options: { hints?: readonly string[] } = {}): AbortSignal {
    const controller = new AbortController();
    const onSignal = (): void => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort(interrupted(options.hints));
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    process.on('SIGHUP', onSignal);
    return controller.signal;
  }

  protected override async catch(error: Error & { oclif?: { exit?: number }; code?: string }): Promise<void> {
    if (error.code === 'EEXIT') throw error; // this.exit(n), --help
    const refusal = this.hinted(usageError(error, this.id ?? '') ?? error);
    process.exitCode = exitStatusOf(refusal);
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(refusal));
    else process.stderr.write(`${renderFailure(refusal, coloursFor(process.stderr))}\n`);
  }

  /** An error whose hints are right here for the lab that is meant. */
  protected hinted(error: unknown): unknown {
    if (!(error instanceof LabError) || !this.#meant) return error;
    const hints = error.fields.hints?.map((hint) => this.typed(hint));
    return new LabError(error.message, { ...error.fields, hints });
  }

  protected override toErrorJson(error: unknown): { error: Record<string, unknown> } {
    return failureToJson(error);
  }

  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  }
}
