import { didYouMean } from '../errors.ts';

/** Variables by name, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `${NAME}`, `${NAME:-default}`, and `$${` for a literal `${`. No quotes, no line ends, no nesting inside. */
const REFERENCE = /\$\{[^{}\n\r"'\\]*\}/g;
const WELL_FORMED = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/**
 * Characters that mean something to YAML, and the noncharacters of Unicode that stand for them inside a reference
 * while the text is parsed. Without this, `{ password: ${PASSWORD} }` would be a mapping inside a mapping.
 */
const SPECIAL = '{}[],:# &*!|>%@`-?';
const FIRST_MASK = 0xfdd0;
const MASKED = /[\ufdd0-\ufdef]/g;

export function hasMaskCharacters(text: string): boolean {
  return text.search(MASKED) !== -1;
}

/** The text with every reference made opaque to a YAML parser; as long as before, so that places stay true. */
export function maskReferences(text: string): string {
  return text.replace(REFERENCE, (reference) =>
    reference.replace(/./gu, (character) => {
      const index = SPECIAL.indexOf(character);
      return index === -1 ? character : String.fromCharCode(FIRST_MASK + index);
    }),
  );
}

export function unmask(text: string): string {
  return text.replace(MASKED, (character) => SPECIAL.charAt(character.charCodeAt(0) - FIRST_MASK));
}

/** In one value; suggestions for more would cost more than they help. */
const MAX_MISTAKES = 20;

export interface Substituted {
  readonly text: string;
  /** Variables that were named, set or not. */
  readonly variables: readonly string[];
  readonly mistakes: readonly { readonly message: string; readonly hint?: string }[];
}

/** Replaces references by what `env` holds. An empty variable counts as unset, as in a shell's `${NAME:-…}`. */
export function substitute(text: string, env: Environment): Substituted {
  const variables: string[] = [];
  const mistakes: { message: string; hint?: string }[] = [];
  const replaced = text.replace(
    /\$\$\{|\$\{([^{}]*)(\}?)/g,
    (whole, inner: string | undefined, end: string) => {
      if (inner === undefined) return '${';
      const parts = WELL_FORMED.exec(inner);
      if (!end)
        mistakes.push({
          message: "a '$' and a brace that is not closed",
          hint: 'double the dollar sign for a literal one',
        });
      else if (!parts)
        mistakes.push({ message: `'${whole}' names no variable`, hint: `write '\${NAME:-default}'` });
      else return look(parts[1]!, parts[2]);
      return '';
    },
  );
  return { text: replaced, variables, mistakes };

  function look(name: string, fallback: string | undefined): string {
    variables.push(name);
    const value = env[name] || fallback;
    if (value !== undefined || mistakes.length >= MAX_MISTAKES) return value ?? '';
    mistakes.push({
      message: `the environment has no ${name}, and there is no default`,
      hint: didYouMean(name, Object.keys(env)) ?? `set it, or write '\${${name}:-default}'`,
    });
    return '';
  }
}
