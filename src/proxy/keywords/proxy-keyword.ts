/** Keywords of `defaults`, `frontend`, `backend` and `listen`: one table, cut to what each section may hold. */
import { WordError } from '../../config/cursor.ts';
import type { KeywordRow } from '../../config/language.ts';
import type { ProxySettings } from '../settings.ts';

/** Which half of a proxy a keyword is about. A `listen` has both. */
export type Side = 'frontend' | 'backend' | 'both';

export interface ProxyKeyword extends KeywordRow<ProxySettings> {
  readonly side: Side;
  /** Whether `defaults` may hold it: yes (when absent), only with a name, or never. */
  readonly defaults?: 'named' | 'never';
  /** On the wrong side it is an error, not just a warning. */
  readonly strict?: boolean;
}

/** The rows as one kind of section sees them. */
export function rowsFor(
  kind: ProxySettings['kind'],
  rows: readonly ProxyKeyword[],
): KeywordRow<ProxySettings>[] {
  return rows.map((row) => {
    if (kind === 'defaults') return row.defaults === undefined ? row : inDefaults(row);
    return kind === 'listen' || row.side === 'both' || row.side === kind ? row : misplaced(kind, row);
  });
}

/** Sections that may hold a keyword, for the documentation. */
export function sectionsOf(row: ProxyKeyword): ProxySettings['kind'][] {
  const kinds: ProxySettings['kind'][] = ['defaults', 'frontend', 'backend', 'listen'];
  return kinds.filter((kind) =>
    kind === 'defaults'
      ? row.defaults !== 'never'
      : kind === 'listen' || row.side === 'both' || row.side === kind,
  );
}

function inDefaults(row: ProxyKeyword): KeywordRow<ProxySettings> {
  const refuse: KeywordRow<ProxySettings>['parse'] = (words, draft) => {
    if (row.defaults === 'named' && draft.name !== '') return undefined;
    const why = row.defaults === 'named' ? "'defaults' without a name" : "'defaults'";
    const hint =
      row.defaults === 'named'
        ? "give the section a name, and say 'from <name>' where it is used"
        : undefined;
    throw new WordError(`'${row.keyword}' is not allowed in ${why}`, words.words[0]!.place, hint);
  };
  return {
    ...row,
    parse: (words, draft, context) => {
      refuse(words, draft, context);
      row.parse(words, draft, context);
    },
  };
}

/** HAProxy reads over what a section cannot use, and says so. */
function misplaced(kind: 'frontend' | 'backend', row: ProxyKeyword): KeywordRow<ProxySettings> {
  const parse: KeywordRow<ProxySettings>['parse'] = (words, draft, context) => {
    const first = words.words[0]!;
    const missing = kind === 'frontend' ? 'backend' : 'frontend';
    const message = `'${row.keyword}' has no effect: ${kind} '${draft.name}' has no ${missing} side`;
    const hint =
      row.keyword === 'maxconn' ? "maybe 'fullconn' is meant" : `put it in a ${missing} or listen section`;
    context.report(row.strict ? 'error' : 'warning', message, first.place, hint);
    words.rest();
  };
  return { ...row, support: undefined, parse, without: row.without && parse };
}
