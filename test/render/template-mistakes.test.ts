import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { renderUserTemplate } from '../../src/render/templates.ts';

function said(text: string): string {
  try {
    renderUserTemplate(text, 'x.hbs', { nodes: [], n: 1 });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [{ place, message, hint }] = error.diagnostics as [ConfigError['diagnostics'][number]];
    return `${place!.line}:${place!.column} ${message}${hint ? `; ${hint}` : ''}`;
  }
  throw new Error('not refused');
}

describe('a template that cannot be read', () => {
  it.each([
    ['a\n  {{#each nodes}}\nb\n', "2:3 the block '{{#each}}' is not closed; end it with '{{/each}}'"],
    [
      '{{!-- {{#if}} --}}\\{{#if}}\n{{#each nodes}}{{#if n}}{{/if}}\n',
      "2:1 the block '{{#each}}' is not closed; end it with '{{/each}}'",
    ],
    [
      '{{#each nodes}}\n{{#if n}}\n{{else}}\n',
      "2:1 the block '{{#if}}' is not closed; end it with '{{/if}}'",
    ],
    ['a\n{{/each}}\n', "2:1 closes a block ('{{/…}}') that is not open"],
    ['{{#if n}}{{else}}{{else}}{{/if}}', "1:1 an '{{else}}' that no block waits for"],
    ['a\n{{ n\nb', "2:1 what begins with '{{' is no expression, or is not closed by '}}'"],
    ['{{^n}}{{#if n}}{{/if}}', "1:1 the block '{{^n}}' is not closed; end it with '{{/n}}'"],
    ['{{!-- n', "1:1 what begins with '{{' is no expression, or is not closed by '}}'"],
    ['{{}}', "1:1 '}}' stands where a name or a value is missing, or does not fit the '{{' before"],
    ['{{#each nodes}}{{/if}}', "1:4 each doesn't match if"],
    [
      '{{m}}',
      "1:3 the template names 'm', which there is not; docs/topology.md lists what a template can name",
    ],
  ])('%j', (text, message) => {
    expect(said(text)).toBe(message);
  });
});
