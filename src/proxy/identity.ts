/** Who the engine says it is: `-v`, the statistics page, `show info`. The version is package.json's. */
export const NAME = 'lablb-proxy';
export const VERSION = '0.1.0';
/** Version of HAProxy whose language and answers it follows. */
export const FOLLOWS = '2.6';
