import type { Credentials, NodeView } from '../render/view.ts';
import type { Wish } from '../roles/desire.ts';

/** What is known for good of new nodes that wait for others, before all addresses are. */
export interface Settled {
  hasFile(node: string, path: string): boolean;
  hasService(node: string, service: string): boolean;
}

/** Files that are the same in two wishes for the same lab, and services that read no other ones. */
export function settledIn(wish: Wish, other: Wish): Settled {
  const waits = (node: string): boolean =>
    wish.provisional.get(node) === 'address' &&
    wish.desired.nodes.some(({ name, after }) => name === node && after.length > 0);
  const hash = ({ desired }: Wish, node: string, path: string): string | undefined =>
    desired.nodes.find(({ name }) => name === node)?.files.find((file) => file.path === path)?.sha256;
  const hasFile = (node: string, path: string): boolean =>
    waits(node) && hash(wish, node, path) === hash(other, node, path);
  return {
    hasFile,
    hasService: (node, service) => {
      const found = wish.desired.nodes
        .find(({ name }) => name === node)
        ?.services.find(({ name }) => name === service);
      // The main one waits for other nodes' services; a topology's own commands may use what no file says.
      return !!found && !found.main && !found.once && found.watch.every((path) => hasFile(node, path));
    },
  };
}

/** The same nodes at other addresses, in another network, with other secrets. */
export function elsewhere(views: ReadonlyMap<string, NodeView>): ReadonlyMap<string, NodeView> {
  const addresses = new Map([...views.keys()].map((name, i) => [name, `192.0.2.${i + 1}`]));
  const resolver = { owner: 'file', nameservers: ['192.0.2.53'], search: ['elsewhere.test'] } as const;
  return new Map(
    [...views].map(([name, view]) => {
      const credentials = view.credentials && others(view.credentials);
      return [name, { ...view, addresses, resolver, credentials }];
    }),
  );
}

/** As many of them, none the same. */
function others({ statsPassword, tls }: Credentials): Credentials {
  const other = 'elsewhere';
  return {
    statsPassword: statsPassword && other,
    tls: tls && {
      certificate: other,
      key: other,
      pkcs12: tls.pkcs12 && other,
      authority: tls.authority && other,
    },
  };
}
