/** The language of the engine: every table, gathered. */
import type { Language } from '../config/language.ts';
import { checkConfiguration } from './keywords/crosschecks.ts';
import { GLOBAL, newGlobal } from './keywords/global.ts';
import { PREDICATES } from './keywords/predicates.ts';
import { RESOLVERS } from './keywords/resolvers.ts';
import { PROXY_SECTIONS } from './keywords/sections.ts';
import { UNSUPPORTED } from './keywords/unsupported.ts';
import { USERLIST } from './keywords/userlist.ts';
import type { Configuration } from './settings.ts';

export const LANGUAGE: Language = {
  sections: [GLOBAL, ...PROXY_SECTIONS, USERLIST, RESOLVERS],
  predicates: PREDICATES,
  unsupported: UNSUPPORTED,
  finish: (context) => checkConfiguration(context.configuration as Configuration, context),
};

export function newConfiguration(): Configuration {
  return { global: newGlobal(), proxies: [], defaults: [], userlists: new Map(), noted: [] };
}
