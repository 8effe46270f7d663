import type { Plugins } from '../authenticator/authenticator-from.ts';
import type { Config } from '../config/config.ts';
import type { Reloaded } from '../view/node-view.ts';
import { type ChangedKey, changedKeys, withKeys } from './changed-keys.ts';
import { ReadFiles } from './read-files.ts';

/** A part of the relay that takes a new configuration while it runs. */
export interface Reloadable {
  /** Keys that it takes as they change: themselves, and all below; `*` stands for one name. */
  readonly keys: readonly string[];
  /** Keys below those that it cannot change while it runs. */
  readonly except?: readonly string[];
  /** Keys that it takes none of its own together with: what they change leaves no sense in a part of it. */
  readonly unless?: readonly string[];
  /** Called when some of its keys have changed. Returns what could not be done, in words for an operator. */
  apply(
    next: Config,
    changed: readonly string[],
    plugins: Plugins,
  ): readonly string[] | Promise<readonly string[]>;
}

/** What is read when a reload is asked for. */
export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly plugins?: Plugins }
  | { readonly ok: false; readonly errors: Reloaded['errors'] };

/** Reads it. Never rejects. */
export type Load = () => Loaded | Promise<Loaded>;

/**
 * Takes a new configuration, part by part. It has been validated as a whole before: a bad one never gets here. What no
 * part takes counts from the next start on, and is named again until then.
 */
export class Reload {
  #running: Config;
  readonly #parts: readonly Reloadable[];
  readonly #files: ReadFiles;
  /** One after the other: two at once would both start from the same old state. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(running: Config, parts: readonly Reloadable[]) {
    this.#running = running;
    this.#parts = parts;
    this.#files = new ReadFiles(running);
  }

  /** `load` is called when its turn has come. */
  run(load: Load): Promise<Reloaded> {
    const turn = this.#last.then(async () => this.#apply(await load()));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #apply(loaded: Loaded): Promise<Reloaded> {
    if (!loaded.ok) return { ok: false, errors: loaded.errors, applied: [], reread: [], needsRestart: [] };
    const changes = changedKeys(this.#running, loaded.config);
    const parts = this.#parts.filter(
      ({ unless = [] }) => !unless.some((one) => changes.some(({ key }) => covers(one, key))),
    );
    const taken = changes.filter(({ key }) => parts.some((part) => takes(part, key)));
    const next = withKeys(this.#running, loaded.config, taken);
    const errors: string[] = [];
    const failed = new Set<string>();
    for (const part of parts) {
      const own = taken.filter(({ key }) => takes(part, key)).map(({ key }) => key);
      if (own.length === 0) continue;
      const faults = await part.apply(next, own, loaded.plugins ?? new Map());
      for (const fault of faults) errors.push(fault);
      if (faults.length > 0) for (const key of own) failed.add(key);
    }
    // What could not be done is a change again the next time.
    const done = taken.filter(({ key }) => !failed.has(key));
    this.#running = withKeys(this.#running, loaded.config, done);
    const needsRestart = names(changes.filter((change) => !taken.includes(change)));
    const applied = names(done);
    const result = { ok: errors.length === 0, errors, applied, reread: [], needsRestart };
    // Files are read again by a reload that has done everything.
    if (errors.length > 0) return result;
    const isNew = (key: string) => applied.some((one) => covers(one, key) || covers(key, one));
    const renewed = this.#files.renewed(this.#running, isNew);
    const later = renewed.needsRestart.filter((key) => !needsRestart.some((one) => covers(key, one)));
    return { ...result, reread: renewed.reread, needsRestart: [...needsRestart, ...later] };
  }
}

function takes({ keys, except = [] }: Reloadable, key: string): boolean {
  return keys.some((one) => covers(one, key)) && !except.some((one) => covers(one, key));
}

function covers(pattern: string, key: string): boolean {
  const wanted = pattern.split('.');
  const names = key.split('.');
  return wanted.length <= names.length && wanted.every((name, i) => name === '*' || name === names[i]);
}

function names(changes: readonly ChangedKey[]): string[] {
  return changes.map(({ key }) => key);
}
