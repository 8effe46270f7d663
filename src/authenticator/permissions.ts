/**
 * What a connection may read and write: topics by exact name, by prefix (`user.*`), or all of them (`*`). Values,
 * never changed: `union` and `intersection` make new ones.
 *
 * Patterns are closed under intersection: of two that meet, one lies within the other. So an intersection is a
 * permission like any other, with no more entries than its two operands have together.
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

/** All topics that begin with `text` (with the empty text: all there are), or the one that is `text`. */
export interface Pattern {
  readonly kind: 'prefix' | 'exact';
  readonly text: string;
}

const NOTHING: Rights = { read: false, write: false };

export const readOnly: Rights = { read: true, write: false };
export const writeOnly: Rights = { read: false, write: true };
export const readAndWrite: Rights = { read: true, write: true };

/** Rights as clients' tokens and plugins write them; undefined: it is no such word. */
export function rightsOf(word: unknown): Rights | undefined {
  return word === 'r' ? readOnly : word === 'w' ? writeOnly : word === 'rw' ? readAndWrite : undefined;
}

/** No right at all. */
export const none: Permissions = { all: NOTHING, exact: new Map(), prefixes: new Map() };
/** Every right on every topic. */
export const everything: Permissions = { ...none, all: readAndWrite };
/** The right to read every topic. */
export const readEverything: Permissions = { ...none, all: readOnly };

/** Asked for every publish. */
export function allows(permissions: Permissions, right: Right, topic: string): boolean {
  if (permissions.all[right]) return true;
  const { exact, prefixes } = permissions;
  if (exact.size > 0 && exact.get(topic)?.[right] === true) return true;
  if (prefixes.size > 0)
    for (const [prefix, rights] of prefixes) if (rights[right] && topic.startsWith(prefix)) return true;
  return false;
}

export function isEmpty({ all, exact, prefixes }: Permissions): boolean {
  if (grantsAny(all)) return false;
  for (const rights of exact.values()) if (grantsAny(rights)) return false;
  for (const rights of prefixes.values()) if (grantsAny(rights)) return false;
  return true;
}

/** `*`, `prefix*`, or one topic's name. Undefined: empty, or a `*` elsewhere than at the end. */
export function parsePattern(text: string): Pattern | undefined {
  const star = text.indexOf('*');
  if (star === -1) return text === '' ? undefined : { kind: 'exact', text };
  return star === text.length - 1 ? { kind: 'prefix', text: text.slice(0, star) } : undefined;
}

/** A map or a list of patterns, each with its rights; those of a repeated one add up. Throws a RangeError for no pattern. */
export function fromPatterns(patterns: Iterable<readonly [pattern: string, rights: Rights]>): Permissions {
  const entries: Entry[] = [];
  for (const [text, rights] of patterns) {
    const pattern = parsePattern(text);
    if (pattern === undefined) throw new RangeError('a pattern is not empty, and its * stands at the end');
    entries.push([pattern, rights]);
  }
  return fromEntries(entries);
}

/** Rights on all topics that begin with `prefix`, in which a `*` is a letter like any other. */
export function ofPrefix(prefix: string, rights: Rights): Permissions {
  return fromEntries([[{ kind: 'prefix', text: prefix }, rights]]);
}

/** All that one of the two allows. */
export function union(a: Permissions, b: Permissions): Permissions {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  return fromEntries([...entriesOf(a), ...entriesOf(b)]);
}

/** All that any of them allows. */
export function unionOf(each: Iterable<Permissions>, first = none): Permissions {
  let all = first;
  for (const one of each) all = union(all, one);
  return all;
}

/** All that both allow. */
export function intersection(a: Permissions, b: Permissions): Permissions {
  return fromEntries(
    [...entriesOf(a), ...entriesOf(b)].map(([pattern]) => [
      pattern,
      {
        read: allowsWithin(a, 'read', pattern) && allowsWithin(b, 'read', pattern),
        write: allowsWithin(a, 'write', pattern) && allowsWithin(b, 'write', pattern),
      },
    ]),
  );
}

/** Whether `a` allows nothing that `b` does not. */
export function isWithin(a: Permissions, b: Permissions): boolean {
  return entriesOf(a).every(
    ([pattern, { read, write }]) =>
      (!read || allowsWithin(b, 'read', pattern)) && (!write || allowsWithin(b, 'write', pattern)),
  );
}

/** All that `permissions` allow on topics that one of `patterns` matches. Throws as `fromPatterns` does. */
export function restrict(permissions: Permissions, patterns: Iterable<string>): Permissions {
  return intersection(permissions, onPatterns(patterns, readAndWrite));
}

/** The same rights on every topic that one of `patterns` matches. Throws as `fromPatterns` does. */
export function onPatterns(patterns: Iterable<string>, rights: Rights): Permissions {
  return fromPatterns(Array.from(patterns, (pattern) => [pattern, rights] as const));
}

/** Whether foreign code gave back what it should have. Throws what a getter in there throws. */
export function isPermissions(value: unknown): value is Permissions {
  if (typeof value !== 'object' || value === null) return false;
  const { all, exact, prefixes } = value as Partial<Record<keyof Permissions, unknown>>;
  return isRights(all) && isRightsMap(exact) && isRightsMap(prefixes);
}

type Entry = readonly [Pattern, Rights];

/** Entries that add nothing to what holds for all topics are left out: a check that passes there looks no further. */
function fromEntries(entries: readonly Entry[]): Permissions {
  let all = NOTHING;
  for (const [{ kind, text }, rights] of entries)
    if (kind === 'prefix' && text === '') all = either(all, rights);
  const exact = new Map<string, Rights>();
  const prefixes = new Map<string, Rights>();
  for (const [{ kind, text }, rights] of entries) {
    if ((!rights.read || all.read) && (!rights.write || all.write)) continue;
    const map = kind === 'exact' ? exact : prefixes;
    map.set(text, either(map.get(text) ?? NOTHING, rights));
  }
  return { all, exact, prefixes };
}

function entriesOf({ all, exact, prefixes }: Permissions): Entry[] {
  return [
    [{ kind: 'prefix', text: '' }, all],
    ...Array.from(prefixes, ([text, rights]): Entry => [{ kind: 'prefix', text }, rights]),
    ...Array.from(exact, ([text, rights]): Entry => [{ kind: 'exact', text }, rights]),
  ];
}

/** Whether the right holds on every topic that the pattern matches. */
function allowsWithin(permissions: Permissions, right: Right, { kind, text }: Pattern): boolean {
  if (kind === 'exact') return allows(permissions, right, text);
  if (permissions.all[right]) return true;
  for (const [prefix, rights] of permissions.prefixes)
    if (rights[right] && text.startsWith(prefix)) return true;
  return false;
}

function either(a: Rights, b: Rights): Rights {
  return { read: a.read || b.read, write: a.write || b.write };
}

function grantsAny({ read, write }: Rights): boolean {
  return read || write;
}

function isRights(value: unknown): value is Rights {
  if (typeof value !== 'object' || value === null) return false;
  const { read, write } = value as Partial<Record<Right, unknown>>;
  return typeof read === 'boolean' && typeof write === 'boolean';
}

function isRightsMap(value: unknown): value is Map<string, Rights> {
  if (!(value instanceof Map)) return false;
  for (const [key, rights] of value) if (typeof key !== 'string' || !isRights(rights)) return false;
  return true;
}
