import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { type RenderedFile, renderLab, writeRendered } from '../cli/rendered.ts';
import { findTopology, loadTopology } from '../topology/load.ts';
import { PROVIDERS } from '../topology/schema.ts';

export default class Render extends LabCommand {
  static override description = 'Print the files that would be on the nodes. Nothing is touched.';
  static override examples = [
    '<%= config.bin %> render',
    '<%= config.bin %> render --node proxyha --path /etc/haproxy/haproxy.cfg',
    '<%= config.bin %> render --out /tmp/lab rocky.lab.yaml',
  ];
  static override args = {
    file: Args.string({ description: 'Topology. Default: that of this folder.' }),
  };
  static override flags = {
    node: Flags.string({ description: 'Only this node.' }),
    path: Flags.string({ description: 'Only this file of a node, as it is printed alone.' }),
    out: Flags.directory({ description: 'Write them below this folder, as DIR/NODE/PATH.' }),
    provider: Flags.option({ options: PROVIDERS })({ description: 'Render for another provider.' }),
    'show-secrets': Flags.boolean({
      description: 'Print passwords (files written by --out always hold them).',
    }),
  };

  async run(): Promise<{ files: Partial<RenderedFile>[] }> {
    const { args, flags } = await this.parse(Render);
    const topology = await loadTopology(args.file ?? (await findTopology('.')), { provider: flags.provider });
    const files = await renderLab(topology, {
      node: flags.node,
      path: flags.path,
      secrets: flags['show-secrets'] || flags.out !== undefined,
    });
    if (flags.out !== undefined) {
      await writeRendered(flags.out, files);
      this.log(`wrote ${files.length} files below ${flags.out}`);
      return { files: files.map(({ content: _, ...file }) => file) };
    }
    for (const { node, path, content } of files) {
      if (files.length > 1) this.log(this.c.bold(`==> ${node}:${path} <==`));
      this.log(content.trimEnd() + (files.length > 1 ? '\n' : ''));
    }
    return { files };
  }
}
