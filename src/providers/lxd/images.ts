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
  #local: Promise<LocalImage[]> | undefined;

  constructor(client: LxdClient) {
    this.#client = client;
  }

  /** Begins to ask what is there: it will be needed soon. */
  look(): void {
    this.#list().catch(() => {}); // whoever needs it hears of it
  }

  resolve(image: string, vm: boolean): Promise<string> {
    if (!image.includes(':')) return Promise.resolve(this.#client.at(image));
    const key = `${image} ${vm}`;
    const pull = this.#pulls.get(key) ?? this.#pull(image, vm);
    this.#pulls.set(key, pull);
    return pull;
  }

  /** The same as far as that goes without pulling it: whether it is to be had. @throws LabError `lxd.image`. */
  async ask(image: string, vm: boolean): Promise<void> {
    if (image.includes(':')) await this.#source(image, vm);
    else await this.#info(this.#client.at(image), vm);
  }

  /** A local image by its alias or fingerprint, if it is there. What is there is asked once. */
  async find(name: string, vm = false): Promise<string | undefined> {
    const type = vm ? 'virtual-machine' : 'container';
    const found = (await this.#list()).some(
      (image) =>
        image.type === type &&
        (image.fingerprint.startsWith(name) || image.aliases?.some((alias) => alias.name === name)),
    );
    return found ? this.#client.at(name) : undefined;
  }

  /** Where it is here, if it is. @throws LabError `lxd.image` when it is nowhere. */
  async #source(image: string, vm: boolean): Promise<string | undefined> {
    const pulled = await this.find(localAlias(image, vm), vm);
    if (pulled) return pulled;
    const fingerprint = /^Fingerprint: (\S+)/m.exec(await this.#info(image, vm))?.[1];
    return fingerprint && this.find(fingerprint, vm);
  }

  #info(image: string, vm: boolean): Promise<string> {
    return this.#client.call(['image', 'info', image, ...(vm ? ['--vm'] : [])], {
      what: `asking for the image ${image}`,
    });
  }

  async #pull(image: string, vm: boolean): Promise<string> {
    const there = await this.#source(image, vm);
    if (there) return there;
    const kind = vm ? ['--vm'] : [];
    const alias = localAlias(image, vm);
    const to = this.#client.remote[0] ?? 'local:';
    await this.#client.call(['image', 'copy', image, to, '--alias', alias, '--quiet', ...kind], {
      timeoutMs: COPY_DEADLINE_MS,
      what: `pulling the image ${image}`,
    });
    return this.#client.at(alias);
  }

  #list(): Promise<LocalImage[]> {
    this.#local ??= this.#client
      .call(['image', 'list', ...this.#client.remote, '--format', 'json'])
      .then((text) => JSON.parse(text) as LocalImage[]);
    return this.#local;
  }
}

interface LocalImage {
  readonly fingerprint: string;
  readonly type: 'container' | 'virtual-machine';
  readonly aliases?: readonly { readonly name: string }[] | null;
}

/** Aliases of the images that lablb pulled or prepared, of whichever lab: the next one comes up sooner with them. */
export async function keptImages(client: LxdClient): Promise<string[]> {
  const said = await client.try(['image', 'list', ...client.remote, '--format', 'json']);
  if (said.exitStatus !== 0) return []; // there is not even such a project
  const list = JSON.parse(said.stdout) as LocalImage[];
  const names = list.map(({ aliases }) => (aliases ?? []).map(({ name }) => name));
  // One that has a name of somebody else's too is theirs.
  const ours = names.filter((some) => some.length > 0 && some.every((name) => name.startsWith(OURS)));
  return ours.map(([name]) => name!).sort();
}

const OURS = 'lablb/';

/** `images:rockylinux/8` → `lablb/images/rockylinux/8`. */
function localAlias(image: string, vm: boolean): string {
  return `${OURS}${image.replaceAll(':', '/')}${vm ? '/vm' : ''}`;
}
