import { LabCommand } from '../cli/base.ts';
import { type JsonSchema, topologyJsonSchema } from '../topology/json-schema.ts';

export default class Schema extends LabCommand {
  static override description = 'Print the JSON schema of topology files, for editors.';
  static override examples = ['<%= config.bin %> schema > topology.schema.json'];

  async run(): Promise<JsonSchema> {
    await this.parse(Schema);
    const schema = topologyJsonSchema();
    this.log(JSON.stringify(schema, null, 2));
    return schema;
  }
}
