import { doorNames, relayKeys } from './keys.ts';
import type { Reader } from './section.ts';
import { type Entry, entryAt, isNull, nest, type Place, type Report, type Value } from './value.ts';

/** What one source writes for the whole relay; sources are merged from the weakest to the strongest. */
export type Layer = Value;

/**
 * The layers of one source (the file, all variables, all flags) with its aliases handed on to the keys that they stand
 * for. An alias counts just below its own layer, so `pusu: false` beside `client_port` stays off.
 */
export function withAliases(source: readonly Layer[], report: Report): Layer[] {
  const aliased = [...(relayKeys.keys ?? [])].flatMap(([name, { aliasOf }]) =>
    aliasOf ? [{ name, aliasOf }] : [],
  );
  for (const { name, aliasOf } of aliased) checkAgreement(source, name, aliasOf, report);
  return source.flatMap((layer) => [
    ...aliased.flatMap(({ name, aliasOf }) => {
      const entry = entryAt(layer, [name]);
      return entry
        ? [
            nest(
              aliasOf,
              aliasOf.map(() => entry.at),
              entry.value,
              name,
            ),
          ]
        : [];
    }),
    layer,
  ]);
}

function checkAgreement(
  source: readonly Layer[],
  name: string,
  path: readonly string[],
  report: Report,
): void {
  const last = (at: readonly string[]): Entry | undefined =>
    source.map((layer) => entryAt(layer, at)).findLast((entry) => entry !== undefined);
  const [short, full] = [last([name]), last(path)];
  if (!short || !full) return;
  const [a, b] = [short.value, full.value];
  if (a.kind === 'scalar' && b.kind === 'scalar' && a.text === b.text) return;
  report(a.at, name, `the same value as ${path.join('.')}, of which it is an alias, or only one of the two`);
}

/** A file that says nothing of doors opens the PuSu door alone, so that pusud's settings file starts a relay. */
export function withDoors(file: Layer | undefined, at: Place): Layer[] {
  const named = file && entryAt(file, ['doors']);
  if (named && !isNull(named.value)) return [file];
  const pusu = nest(['doors', 'pusu'], [at, at], { kind: 'scalar', text: 'true', quoted: false, at });
  return file ? [pusu, file] : [pusu];
}

/** A door that stays closed, and why, in words for an operator. */
export interface ClosedDoor {
  readonly door: string;
  readonly why: string;
}

/** `isOpen`: as all sources together have it. `places`: of what was written. */
export function closedDoors(
  file: Layer | undefined,
  isOpen: (door: (typeof doorNames)[number]) => boolean,
  places: ReadonlyMap<string, Place>,
): ClosedDoor[] {
  const named = file && entryAt(file, ['doors']);
  const unnamed =
    named && !isNull(named.value)
      ? 'doors does not name it'
      : 'a configuration that says nothing of doors opens the PuSu door alone';
  return doorNames
    .filter((door) => !isOpen(door))
    .map((door) => ({ door, why: places.has(`doors.${door}`) ? `doors.${door} is false` : unnamed }));
}

/**
 * A value that a flag or a variable sets at `path`. A map set for `doors` as a whole turns off the doors that it does
 * not name, as it would in a file.
 */
export function layerOf(path: readonly string[], places: readonly Place[], value: Value): Layer {
  if (path.length !== 1 || path[0] !== 'doors' || value.kind !== 'map') return nest(path, places, value);
  const { at, entries } = value;
  const unnamed = doorNames.filter((door) => !entries.some((entry) => entry.key === door));
  const off = unnamed.map(
    (door): Entry => ({ key: door, at, value: { kind: 'scalar', text: 'false', quoted: false, at } }),
  );
  return nest(path, places, { ...value, entries: [...entries, ...off] });
}

/** The reader at `path`, as far as the table knows it: the deepest known one and the number of its keys. */
export function knownPart(path: readonly string[]): { reader: Reader<unknown>; depth: number } {
  let reader: Reader<unknown> = relayKeys;
  for (const [depth, name] of path.entries()) {
    const below = reader.keys?.get(name);
    if (!below) return { reader, depth };
    reader = below;
  }
  return { reader, depth: path.length };
}
