/** What one request wants to see of the statistics. */
import type { LiveProxy } from '../model.ts';
import type { StatsSettings } from '../settings.ts';
import { type ActionOutcome, OUTCOMES } from './actions.ts';
import type { Moment } from './columns.ts';

/** What the target says besides the page's address: `/stats;csv;norefresh?scope=web`. */
export interface StatsView {
  readonly hideDown: boolean;
  readonly noRefresh: boolean;
  /** Part of proxies' names. */
  readonly scope: string;
  readonly outcome: ActionOutcome | undefined;
}

export interface StatsContext {
  readonly proxy: LiveProxy;
  readonly settings: StatsSettings;
  readonly view: StatsView;
  readonly nowMs: number;
  readonly admin: boolean;
}

/** What columns may depend on. */
export function moment({ proxy, settings, view, nowMs }: StatsContext): Moment {
  return { nowMs, legends: settings.showLegends, partial: view.hideDown, frontends: proxy.frontends };
}

const LONGEST_SCOPE = 20;

/** Reads what follows the page's own address. */
export function readView(words: string): StatsView {
  const outcome = /;st=([A-Z]{4})/.exec(words)?.[1];
  const scope = /[?&]scope=([\w.:-]*)/.exec(words)?.[1] ?? '';
  return {
    hideDown: /;up\b/.test(words),
    noRefresh: /;norefresh\b/.test(words),
    scope: scope.slice(0, LONGEST_SCOPE),
    outcome:
      outcome !== undefined && Object.hasOwn(OUTCOMES, outcome) ? (outcome as ActionOutcome) : undefined,
  };
}

/** `/stats;up;norefresh?scope=web`: the address of a view, with more words after the page's own. */
export function viewUri(uri: string, view: Partial<StatsView>, ...words: string[]): string {
  const said = [...words, ...(view.hideDown ? ['up'] : []), ...(view.noRefresh ? ['norefresh'] : [])];
  return uri + said.map((word) => `;${word}`).join('') + (view.scope ? `?scope=${view.scope}` : '');
}
