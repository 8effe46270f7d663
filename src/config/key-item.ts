import type { Kind } from './kind.ts';
import type { Reader } from './section.ts';

/**
 * One API key of a list, whichever list. `make`: null where what was read makes no key. Faults are reported at the item's
 * own path: an unknown name in it may be an API key in the wrong place.
 */
export function keyItem<Read, Item>(
  item: Reader<Read>,
  expected: string,
  make: (read: Read) => Item | null,
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
          const known = item.keys?.has(below.slice(path.length + 1));
          context.report(at, known ? below : path, wanted);
        },
      });
      if (faults > 0) return undefined;
      const made = make(read);
      if (made === null) context.report(value.at, path, expected);
      return made ?? undefined;
    },
  };
}
