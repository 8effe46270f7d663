import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';

/** Files that a relay has read, under the key that names them. */
interface Named {
  readonly key: string;
  readonly paths: readonly string[];
  /** Read again by a reload; others count from the next start on. */
  readonly again: boolean;
}

/** Keys whose files have other contents than those that were read. */
export interface Renewed {
  readonly reread: readonly string[];
  readonly needsRestart: readonly string[];
}

/**
 * What was in the files that a relay reads at its start or at a reload, and no sooner, so that a reload can say that a
 * certificate was renewed though no key has changed. What a relay looks at by itself (key sets, API keys) is not here.
 */
export class ReadFiles {
  #known: ReadonlyMap<string, string>;

  constructor(config: Config) {
    this.#known = new Map(namedBy(config).map(({ key, paths }) => [key, digestOf(paths)]));
  }

  /** After a reload that has led to `running`; `isNew`: the key has changed, and its files were read for that. */
  renewed(running: Config, isNew: (key: string) => boolean): Renewed {
    const known = new Map<string, string>();
    const reread: string[] = [];
    const needsRestart: string[] = [];
    for (const { key, paths, again } of namedBy(running)) {
      const [before, now] = [this.#known.get(key), digestOf(paths)];
      const isOther = before !== undefined && before !== now && !isNew(key);
      if (isOther) (again ? reread : needsRestart).push(key);
      known.set(key, isOther && !again ? before : now);
    }
    this.#known = known;
    return { reread, needsRestart };
  }
}

function namedBy({ authenticator, doors, network, relays, cluster }: Config): Named[] {
  const named: Named[] = [];
  const plugin = (one: Config['authenticator'] | null | undefined) => {
    if (one?.name === 'Plugin') named.push({ key: one.key, paths: [one.file], again: false });
  };
  plugin(authenticator);
  for (const [name, door] of Object.entries(doors)) {
    plugin(door?.authenticator);
    if (door?.tls)
      named.push({ key: `doors.${name}.tls`, paths: [door.tls.cert, door.tls.key], again: true });
  }
  // A relay alone, or one in a network of NATS, has no links that would show a certificate.
  if (network.tls !== null && relays.length > 0 && cluster.backplane === 'mesh') {
    const { cert, key, ca } = network.tls;
    named.push({ key: 'network.tls', paths: [cert, key, ca], again: false });
  }
  return named;
}

/** Of a file that cannot be read the reason counts as its content. */
function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    try {
      hash.update(readFileSync(path)).update('\0');
    } catch (error) {
      hash.update(String(error));
    }
  }
  return hash.digest('hex');
}
