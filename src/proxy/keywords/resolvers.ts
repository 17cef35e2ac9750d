/** `resolvers` (manual, section 5.3): read, so that configurations load; names are resolved at start, by the system. */
import type { KeywordRow, SectionRow } from '../../config/language.ts';
import { configurationOf, takeName } from './support.ts';

function read(keyword: string, usage: string, doc: string): KeywordRow<unknown> {
  return {
    keyword,
    usage,
    doc,
    support: 'noted',
    parse: (words) => {
      for (const what of usage.split(' ').filter((name) => name !== '')) words.take(what);
      words.end();
    },
  };
}

export const RESOLVERS: SectionRow<unknown> = {
  keyword: 'resolvers',
  usage: '<name>',
  doc: 'Name servers; names are resolved once, at start',
  open: (words, context) => {
    const place = words.words[0]!.place;
    takeName(words, 'the name of a section');
    words.end();
    configurationOf(context).noted.push({
      keyword: 'resolvers',
      place,
      why: 'names are resolved once, at start, by the system',
    });
    return undefined;
  },
  keywords: [
    read('nameserver', '<name> <address>', 'A name server'),
    read('parse-resolv-conf', '', 'Take the name servers of the system'),
    read('accepted_payload_size', '<bytes>', 'Longest answer'),
    read('resolve_retries', '<number>', 'How often to ask'),
    ...['nx', 'obsolete', 'other', 'refused', 'timeout', 'valid'].map((status) =>
      read(`hold ${status}`, '<time>', 'How long an answer counts'),
    ),
    read('timeout resolve', '<time>', 'Time between two questions'),
    read('timeout retry', '<time>', 'Time before asking again'),
  ],
};
