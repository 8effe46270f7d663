import { isDeepStrictEqual } from 'node:util';
import { Hidden } from '../secret/hidden.ts';

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
