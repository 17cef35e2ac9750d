/** `userlist` (manual, section 3.4): who may log in. */
import { WordError } from '../../config/cursor.ts';
import type { SectionRow } from '../../config/language.ts';
import type { Userlist } from '../settings.ts';
import { configurationOf, takeName } from './support.ts';

export const USERLIST: SectionRow<Userlist> = {
  keyword: 'userlist',
  usage: '<name>',
  doc: 'Users and groups for `http_auth`',
  open: (words, context) => {
    const place = words.peek()?.place;
    const name = takeName(words, 'the name of a list');
    words.end();
    const { userlists } = configurationOf(context);
    if (userlists.has(name))
      throw new WordError(`a second userlist '${name}'`, place!, 'give each its own name');
    const list: Userlist = { name, groups: new Map(), users: new Map() };
    userlists.set(name, list);
    return list;
  },
  keywords: [
    {
      keyword: 'group',
      usage: '<name> [users <user>,…]',
      doc: 'A group, with users that are in it',
      parse: (words, list) => {
        const word = words.peek();
        const name = takeName(words, 'the name of a group');
        if (list.groups.has(name)) words.fail(`a second group '${name}'`, word);
        const users = words.accept('users') ? words.take('names of users').text.split(',') : [];
        words.end();
        list.groups.set(name, { users });
      },
    },
    {
      keyword: 'user',
      usage: '<name> [password|insecure-password <password>] [groups <group>,…]',
      doc: 'A user; `password` is hashed as in crypt(3)',
      parse: (words, list) => {
        const word = words.take('the name of a user');
        if (list.users.has(word.text)) words.fail(`a second user '${word.text}'`, word);
        const user: { password?: string; insecure: boolean; groups: string[] } = {
          insecure: false,
          groups: [],
        };
        while (words.peek() !== undefined) {
          if (words.accept('password')) user.password = words.take('a hashed password').text;
          else if (words.accept('insecure-password')) {
            user.password = words.take('a password').text;
            user.insecure = true;
          } else if (words.accept('groups')) user.groups = words.take('names of groups').text.split(',');
          else words.end();
        }
        list.users.set(word.text, user);
      },
    },
  ],
  close: (list, context) => {
    const { place } = context;
    for (const [user, { groups }] of list.users) {
      for (const group of groups.filter((name) => !list.groups.has(name))) {
        context.report(
          'error',
          `user '${user}' is in group '${group}', which userlist '${list.name}' does not have`,
          place,
        );
      }
    }
    for (const [group, { users }] of list.groups) {
      for (const user of users.filter((name) => !list.users.has(name))) {
        context.report(
          'error',
          `group '${group}' has user '${user}', whom userlist '${list.name}' does not have`,
          place,
        );
      }
    }
  },
};
