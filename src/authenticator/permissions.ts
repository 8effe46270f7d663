/**
 * What a connection may read and write: topics by exact name, by prefix (`user.*`), or all of them (`*`). Values,
 * never changed: `union` makes a new one.
 */
export interface Permissions {
  readonly all: Rights;
  readonly exact: ReadonlyMap<string, Rights>;
  readonly prefixes: ReadonlyMap<string, Rights>;
}

export interface Rights {
  readonly read: boolean;
  readonly write: boolean;
}

export type Right = keyof Rights;

const NOTHING: Rights = { read: false, write: false };

/** No right at all. */
export const none: Permissions = { all: NOTHING, exact: new Map(), prefixes: new Map() };
/** Every right on every topic. */
export const everything: Permissions = { ...none, all: { read: true, write: true } };
/** The right to read every topic. */
export const readEverything: Permissions = { ...none, all: { read: true, write: false } };

export function allows(permissions: Permissions, right: Right, topic: string): boolean {
  if (permissions.all[right]) return true;
  if (permissions.exact.get(topic)?.[right] === true) return true;
  for (const [prefix, rights] of permissions.prefixes) if (rights[right] && topic.startsWith(prefix)) return true;
  return false;
}
