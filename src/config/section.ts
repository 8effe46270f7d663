import { type Context, type Kind, nearest, type Writing } from './kind.ts';
import { asBoolean, type Entry, isNull, type Place, type Value } from './value.ts';

/**
 * The table of keys is a tree of readers: a key has a kind and a default, a section has keys. The one tree parses,
 * knows the defaults, suggests the nearest key, and names the environment variables.
 */
export interface Reader<T> {
  /** Keys below this one; undefined for a key that is set as a whole. */
  readonly keys?: ReadonlyMap<string, Reader<unknown>>;
  /** How flags and variables write the key. */
  readonly writing?: Writing;
  /** Of a number: milliseconds or bytes. */
  readonly unit?: 'time' | 'size';
  /** For an alias: the path of the key that it stands for. */
  readonly aliasOf?: readonly string[];
  /** `layers` are what was written for this key, from the weakest source to the strongest. */
  read(layers: readonly Entry[], path: string, context: Context): T;
}

type Shape = Readonly<Record<string, Reader<unknown>>>;
type ReaderValue<R> = R extends Reader<infer T> ? T : never;
type CamelCase<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<CamelCase<B>>}` : S;

/** What a section reads: its keys in camelCase. */
export type SectionValue<S extends Shape> = {
  readonly [K in keyof S & string as CamelCase<K>]: ReaderValue<S[K]>;
};

/** A key that is set as a whole. Every layer is judged, so that an overridden fault is seen too; the strongest counts. */
export function key<T>(kind: Kind<T>, fallback: T): Reader<T> {
  return {
    ...(kind.writing === undefined ? {} : { writing: kind.writing }),
    ...(kind.unit === undefined ? {} : { unit: kind.unit }),
    read(layers, path, context) {
      let result = fallback;
      for (const entry of layers) {
        const parsed = kind.parse(entry.value, entry.writtenAs ?? path, context);
        if (parsed === undefined) context.failed.add(path);
        else {
          result = parsed;
          context.places.set(path, entry.value.at);
        }
      }
      return result;
    },
  };
}

/** Another name of the key at `path`; `layers.ts` hands on what is written here. */
export function alias(path: readonly string[]): Reader<null> {
  return { aliasOf: path, read: () => null };
}

/** A map of known keys. Layers are merged key by key; nothing after the colon is an empty map. */
export function section<S extends Shape>(shape: S): Reader<SectionValue<S>> {
  const keys = new Map(Object.entries(shape));
  return {
    keys,
    read(layers, path, context) {
      const below = new Map<string, Entry[]>();
      for (const { value } of layers) {
        for (const entry of knownEntries(value, keys, path, context)) {
          below.set(entry.key, [...(below.get(entry.key) ?? []), entry]);
        }
      }
      const values = [...keys].map(([name, reader]) => [
        camelCase(name),
        reader.read(below.get(name) ?? [], join(path, name), context),
      ]);
      return Object.fromEntries(values) as SectionValue<S>;
    },
  };
}

/** A section that is on unless it is switched off: by false, or by null. */
export function unlessOff<T>(inner: Reader<T>): Reader<T | null> {
  return switched(inner, true, (value) => (isNull(value) ? false : asBoolean(value)));
}

/** A section that is off (null) unless it is named; false turns it off, true turns it on as it is. */
export function switchable<T>(inner: Reader<T>): Reader<T | null> {
  return switched(inner, false, asBoolean);
}

/** A section that is off (null) unless it is named; false or null turns it off, true turns it on as it is. */
export function offUnless<T>(inner: Reader<T>): Reader<T | null> {
  return switched(inner, false, (value) => (isNull(value) ? false : asBoolean(value)));
}

function switched<T>(
  inner: Reader<T>,
  unnamed: boolean,
  switchOf: (value: Value) => boolean | undefined,
): Reader<T | null> {
  return {
    ...(inner.keys ? { keys: inner.keys } : {}),
    read(layers, path, context) {
      let on = unnamed;
      const maps: Entry[] = [];
      for (const entry of layers) {
        const flag = switchOf(entry.value);
        on = flag ?? true;
        if (flag === undefined) maps.push(entry);
        context.places.set(path, entry.at);
      }
      const value = inner.read(maps, path, context);
      return on ? value : null;
    },
  };
}

/**
 * An item of a list that is a section. `make`: null where what was read makes no item. `hidesUnknown`: faults of unknown
 * names are reported at the item's own path, as such a name may be a secret in the wrong place.
 */
export function itemOf<Read, Item>(
  item: Reader<Read>,
  expected: string,
  make: (read: Read) => Item | null,
  { hidesUnknown = false } = {},
): Kind<Item> {
  return {
    expected,
    parse(value, path, context) {
      let faults = 0;
      const read = item.read([{ key: '', value, at: value.at }], path, {
        ...context,
        places: new Map(),
        report: (at, below, wanted) => {
          faults += 1;
          const shown = !hidesUnknown || item.keys?.has(below.slice(path.length + 1));
          context.report(at, shown ? below : path, wanted);
        },
      });
      if (faults > 0) return undefined;
      const made = make(read);
      if (made === null) context.report(value.at, path, expected);
      return made ?? undefined;
    },
  };
}

function* knownEntries(
  value: Value,
  keys: ReadonlyMap<string, unknown>,
  path: string,
  { report }: Context,
): Iterable<Entry> {
  if (isNull(value)) return;
  if (value.kind !== 'map') {
    report(value.at, path || 'relay', `a map of keys: ${[...keys.keys()].join(', ')}`);
    return;
  }
  const seen = new Map<string, Place>();
  for (const entry of value.entries) {
    const shown = join(path, printable(entry.key));
    const before = seen.get(entry.key);
    if (before) report(entry.at, shown, `each key once; this one is already on line ${before.line}`);
    else if (keys.has(entry.key)) yield entry;
    else report(entry.at, shown, unknownKey(entry.key, keys.keys()));
    seen.set(entry.key, entry.at);
  }
}

/** What to say of a key that nobody knows. */
export function unknownKey(name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = nearest(name, names);
  return near === undefined
    ? `unknown key; known here: ${names.join(', ')}`
    : `unknown key; did you mean "${near}"?`;
}

export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** A key as an error shows it: short, and in quotes when it is not a plain word. */
function printable(name: string): string {
  const short = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  return /^[\w-]+$/.test(name) ? short : JSON.stringify(short);
}

/** As a section's value names what is written `name`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
