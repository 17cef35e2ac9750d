import { LabCommand } from '../cli/base.ts';
import { attach } from '../shell/attach.ts';
import { enginePath } from '../shell/engine.ts';

export default class ProxyCommand extends LabCommand {
  static override summary = 'Run the engine with HAProxy’s flags';
  static override description =
    'Everything after `proxy` is handed to the engine as it is: -f FILE, -c, -v, -p PIDFILE, -d, -D, -sf PIDS … Signals are passed on, and so is the exit status. LABLB_ENGINE names another executable, for example a real haproxy.';
  static override examples = [
    '<%= config.bin %> proxy -c -f haproxy.cfg',
    '<%= config.bin %> proxy -f haproxy.cfg',
  ];
  static override usage = 'proxy FLAGS...';
  static override enableJsonFlag = false;
  static override strict = false;

  async run(): Promise<void> {
    this.parsed = true; // the flags are the engine's
    this.fail(await attach([enginePath(), ...this.argv]));
  }
}
