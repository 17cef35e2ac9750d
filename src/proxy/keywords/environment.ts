/** `setenv` and its kind (manual, section 3.1): they act on the lines below them. */
import type { KeywordRow } from '../../config/language.ts';
import type { GlobalSettings } from '../settings.ts';

export const ENVIRONMENT: readonly KeywordRow<GlobalSettings>[] = [
  {
    keyword: 'setenv',
    usage: '<name> <value>',
    doc: 'Set an environment variable',
    parse: (words, _global, context) => {
      const name = words.take('a name').text;
      context.environment.set(name, words.take('a value').text);
      words.end();
    },
  },
  {
    keyword: 'presetenv',
    usage: '<name> <value>',
    doc: 'Set an environment variable that has no value yet',
    parse: (words, _global, context) => {
      const name = words.take('a name').text;
      const value = words.take('a value').text;
      if (!context.environment.has(name)) context.environment.set(name, value);
      words.end();
    },
  },
  {
    keyword: 'unsetenv',
    usage: '[<name>…]',
    doc: 'Remove environment variables',
    parse: (words, _global, context) => {
      for (const word of words.rest()) context.environment.delete(word.text);
    },
  },
  {
    keyword: 'resetenv',
    usage: '[<name>…]',
    doc: 'Remove all environment variables but these',
    parse: (words, _global, context) => {
      const kept = new Set(words.rest().map((word) => word.text));
      for (const name of [...context.environment.keys()])
        if (!kept.has(name)) context.environment.delete(name);
    },
  },
];
