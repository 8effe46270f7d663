import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Plugins } from '../authenticator/plugin.ts';
import { authenticatorsOf, type Config, doorTls } from '../config/config.ts';
import type { Effective } from '../config/effective.ts';
import type { Prepared } from '../otp/prepared.ts';
import { Hidden } from '../secret/hidden.ts';
import type { Reloaded } from '../view/relay-view.ts';

/** A part of the relay that takes a new configuration while it runs. */
export interface Reloadable {
  /** Keys whose changes the part takes, with all keys below them; `*` stands for one name. */
  readonly keys: readonly string[];
  /** Keys below `keys` that cannot change while the relay runs. */
  readonly except?: readonly string[];
  /** When one of these keys has changed, the part takes no change at all: half of it would make no sense. */
  readonly unless?: readonly string[];
  /**
   * Called when some of its keys have changed. Does all that may fail, such as opening a port, beside what counts now,
   * which stays as it is.
   */
  prepare(next: Config, changed: readonly string[], plugins: Plugins): Prepared | Promise<Prepared>;
}

/** What is read when a reload is asked for. */
export type Loaded =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly effective?: readonly Effective[];
      readonly plugins?: Plugins;
    }
  | { readonly ok: false; readonly errors: Reloaded['errors'] };

/** Reads the new configuration. A throw crashes the reload. */
export type Load = () => Loaded | Promise<Loaded>;

/** What a new configuration changes, and which part takes which of the changed keys. */
export interface Plan {
  readonly next: Config;
  readonly steps: readonly Step[];
  readonly taken: readonly ChangedKey[];
  /** Keys that no part takes: they count from the next start on, and are named again until then. */
  readonly needsRestart: readonly string[];
  /** All keys of the new configuration, and where they come from. */
  readonly effective: readonly Effective[];
}

export interface Step {
  readonly part: Reloadable;
  readonly keys: readonly string[];
}

/**
 * The configuration that counts now. It belongs to the supervisor of the reload server, which hands it to every
 * incarnation: what a reload that crashed had not finished is a change again the next time.
 */
export class RunningConfig {
  #config: Config;
  #effective: readonly Effective[];
  readonly #files: ReadFiles;

  constructor(config: Config, effective: readonly Effective[] = []) {
    this.#config = config;
    this.#effective = effective;
    this.#files = new ReadFiles(config);
  }

  /** All keys as they count now, and where they come from. */
  get effective(): readonly Effective[] {
    return this.#effective;
  }

  plan(wanted: Config, all: readonly Reloadable[], effective: readonly Effective[] = []): Plan {
    const changes = changedKeys(this.#config, wanted);
    const parts = all.filter(
      ({ unless = [] }) => !unless.some((one) => changes.some(({ key }) => covers(one, key))),
    );
    const taken = changes.filter(({ key }) => parts.some((part) => takes(part, key)));
    return {
      next: withKeys(this.#config, wanted, taken),
      steps: parts
        .map((part) => ({ part, keys: names(taken).filter((key) => takes(part, key)) }))
        .filter(({ keys }) => keys.length > 0),
      taken,
      needsRestart: names(changes.filter((change) => !taken.includes(change))),
      effective,
    };
  }

  /** All of the plan has been done; where there are `faults`, nothing. */
  finish({ next, taken, needsRestart, effective }: Plan, faults: readonly string[]): Reloaded {
    if (faults.length > 0) return { ok: false, errors: faults, applied: [], reread: [], needsRestart };
    this.#config = withKeys(this.#config, next, taken);
    this.#take(effective, needsRestart);
    const applied = names(taken);
    const result = { ok: true, errors: [], applied };
    const isNew = (key: string) => applied.some((one) => covers(one, key) || covers(key, one));
    const renewed = this.#files.renewed(this.#config, isNew);
    const later = renewed.needsRestart.filter((key) => !needsRestart.some((one) => covers(key, one)));
    return { ...result, reread: renewed.reread, needsRestart: [...needsRestart, ...later] };
  }

  /** What waits for a restart stays as it was. */
  #take(next: readonly Effective[], waiting: readonly string[]): void {
    const isWaiting = ({ key }: Effective) => waiting.some((one) => covers(one, key) || covers(key, one));
    const [kept, taken] = [this.#effective.filter(isWaiting), next.filter((row) => !isWaiting(row))];
    this.#effective = [...taken, ...kept].sort((a, b) => placeIn(next, a) - placeIn(next, b));
  }
}

function placeIn(rows: readonly Effective[], { key }: Effective): number {
  const place = rows.findIndex((row) => row.key === key);
  return place === -1 ? rows.length : place;
}

function takes({ keys, except = [] }: Reloadable, key: string): boolean {
  return keys.some((one) => covers(one, key)) && !except.some((one) => covers(one, key));
}

function covers(pattern: string, key: string): boolean {
  const wanted = pattern.split('.');
  const parts = key.split('.');
  return wanted.length <= parts.length && wanted.every((name, i) => name === '*' || name === parts[i]);
}

function names(changes: readonly ChangedKey[]): string[] {
  return changes.map(({ key }) => key);
}

/** A key whose value has changed: where it is in the configuration, and how an operator calls it. */
export interface ChangedKey {
  readonly path: readonly string[];
  /** `limits.pending`, `doors.pusu`. Values are never named. */
  readonly key: string;
}

/**
 * What differs between two configurations, as deep down as both have sections: a door that was opened or closed is one
 * change, not one for each of its keys.
 */
export function changedKeys(before: object, after: object, above: readonly string[] = []): ChangedKey[] {
  const a = before as Readonly<Record<string, unknown>>;
  const b = after as Readonly<Record<string, unknown>>;
  return Object.keys(b).flatMap((name): ChangedKey[] => {
    const path = [...above, name];
    const [old, now] = [a[name], b[name]];
    if (isSection(old) && isSection(now)) return changedKeys(old, now, path);
    return isDeepStrictEqual(revealed(old), revealed(now))
      ? []
      : [{ path, key: path.map(written).join('.') }];
  });
}

/** A copy of `config` with the values that `other` has at these paths. */
export function withKeys<T extends object>(config: T, other: T, changes: readonly ChangedKey[]): T {
  const copy = { ...config } as Record<string, unknown>;
  for (const { path } of changes) {
    let to = copy;
    let from = other as Readonly<Record<string, unknown>>;
    for (const name of path.slice(0, -1)) {
      to[name] = { ...(to[name] as object) };
      to = to[name] as Record<string, unknown>;
      from = from[name] as Readonly<Record<string, unknown>>;
    }
    const last = path.at(-1) as string;
    to[last] = from[last];
  }
  return copy as T;
}

/** Two secrets look alike as long as they are hidden. */
function revealed(value: unknown): unknown {
  if (value instanceof Hidden) return revealed(value.reveal());
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revealed(item)]));
}

/** An authenticator counts as one value, and so does a store of keys: its kind decides what its other fields mean. */
function isSection(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Hidden) &&
    !('name' in value) &&
    !('store' in value)
  );
}

/** `apiKeys` is written without a joint. */
function written(name: string): string {
  return name === 'apiKeys' ? 'apikeys' : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Files that a relay has read, under the key that names them. */
interface Named {
  readonly key: string;
  readonly paths: readonly string[];
  /** Read again by a reload; others count from the next start on. */
  readonly again: boolean;
}

/** Keys whose files have other contents than those that were read. */
interface Renewed {
  readonly reread: readonly string[];
  readonly needsRestart: readonly string[];
}

/**
 * What was in the files that a relay reads at its start or at a reload, and no sooner, so that a reload can say that a
 * certificate was renewed though no key has changed. What a relay looks at by itself (key sets, API keys) is not here.
 */
class ReadFiles {
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

function namedBy(config: Config): Named[] {
  const { network, relays, cluster } = config;
  const named: Named[] = [];
  for (const [, one] of authenticatorsOf(config))
    if (one.name === 'Plugin') named.push({ key: one.key, paths: [one.file], again: false });
  for (const [key, { cert, key: secret }] of doorTls(config))
    named.push({ key, paths: [cert, secret], again: true });
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
