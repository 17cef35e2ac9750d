import type { LxdClient } from './client.ts';

const COPY_DEADLINE_MS = 900_000;

/**
 * What to launch from: an image of another server is pulled once, under a local alias, before many are launched of
 * it (launching several of an image that is not there yet is a race, and asks that server each time).
 *
 * @throws LabError `lxd.image`, `lxd.timeout`.
 */
export class Images {
  readonly #client: LxdClient;
  readonly #pulls = new Map<string, Promise<string>>();

  constructor(client: LxdClient) {
    this.#client = client;
  }

  resolve(image: string, vm: boolean): Promise<string> {
    if (!image.includes(':')) return Promise.resolve(this.#client.at(image));
    const key = `${image} ${vm}`;
    const pull = this.#pulls.get(key) ?? this.#pull(image, vm);
    this.#pulls.set(key, pull);
    return pull;
  }

  async #pull(image: string, vm: boolean): Promise<string> {
    const kind = vm ? ['--vm'] : [];
    const alias = this.#client.at(localAlias(image, vm));
    if (await this.#has(alias, kind)) return alias;
    const info = await this.#client.call(['image', 'info', image, ...kind], {
      what: `asking for the image ${image}`,
    });
    const fingerprint = this.#client.at(/^Fingerprint: (\S+)/m.exec(info)?.[1] ?? '');
    if (await this.#has(fingerprint, kind)) return fingerprint;
    const to = this.#client.remote[0] ?? 'local:';
    await this.#client.call(
      ['image', 'copy', image, to, '--alias', localAlias(image, vm), '--quiet', ...kind],
      {
        timeoutMs: COPY_DEADLINE_MS,
        what: `pulling the image ${image}`,
      },
    );
    return alias;
  }

  async #has(name: string, kind: readonly string[]): Promise<boolean> {
    return (await this.#client.try(['image', 'info', name, ...kind])).exitStatus === 0;
  }
}

/** `images:rockylinux/8` → `lablb/images/rockylinux/8`. */
function localAlias(image: string, vm: boolean): string {
  return `lablb/${image.replaceAll(':', '/')}${vm ? '/vm' : ''}`;
}
