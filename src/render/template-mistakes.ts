/** What the parser of Handlebars says about a template that it cannot read, in words: it names its own tokens. */

export interface TemplateMistake {
  readonly message: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly hint?: string;
}

/** By the token that the parser met and did not want. */
const MET: Readonly<Record<string, string>> = {
  OPEN_ENDBLOCK: "closes a block ('{{/…}}') that is not open",
  INVERSE: "an '{{else}}' that no block waits for",
  CLOSE: "'}}' stands where a name or a value is missing, or does not fit the '{{' before",
  INVALID: "what begins with '{{' is no expression, or is not closed by '}}'",
};

/** The mistake, when `said` is about how the text is written; undefined for what happens when it is rendered. */
export function mistakeIn(text: string, said: string): TemplateMistake | undefined {
  const found = /^(?:Parse|Lexical) error on line (\d+)/.exec(said);
  if (!found) return undefined;
  const met = /, got '(\w+)'$/.exec(said)?.[1] ?? 'INVALID';
  const block = met === 'EOF' ? openBlock(text) : undefined;
  if (block) {
    const before = text.slice(0, block.at).split('\n');
    return {
      message: `the block '{{${block.sign}${block.name}}}' is not closed`,
      line: before.length,
      column: before.at(-1)!.length + 1,
      hint: `end it with '{{/${block.name}}}'`,
    };
  }
  return { message: MET[met] ?? 'a template cannot go on like this', line: Number(found[1]), column: 1 };
}

interface Block {
  readonly sign: string;
  readonly name: string;
  readonly at: number;
}

/** The innermost block that nothing closes. */
function openBlock(text: string): Block | undefined {
  const open: Block[] = [];
  const tags = /\{\{!--.*?--\}\}|(?<!\\)\{\{~?([#/^])[>*]?\s*([^\s}~]+)/gs;
  for (const { index, 1: sign, 2: name } of text.matchAll(tags)) {
    if (sign === '/') open.pop();
    else if (sign !== undefined) open.push({ sign, name: name!, at: index });
  }
  return open.at(-1);
}
