import type { Place, Report } from './config-error.ts';
import { knownPart, type Layer, layerOf } from './layers.ts';
import { unknownKey } from './section.ts';
import { readSetting } from './setting.ts';

/**
 * The layers of `--set key.path=value` flags, in their order (of two for one key the later counts). A value
 * that is no text is YAML; columns count from the start of `key.path=value`.
 */
export function flagLayers(sets: readonly string[], report: Report): Layer[] {
  return sets.flatMap((set) => {
    const layer = flagLayer(set, report);
    return layer ? [layer] : [];
  });
}

function flagLayer(set: string, report: Report): Layer | undefined {
  const at = (column: number): Place => ({ file: '--set', line: 1, column });
  const [, keyPath, text] = /^([^=]*)=(.*)$/s.exec(set) ?? [];
  if (keyPath === undefined || text === undefined || !/^[^\s.]+(\.[^\s.]+)*$/.test(keyPath)) {
    report(at(1), /^\w*/.exec(set)?.[0] || 'set', 'a setting as key.path=value');
    return undefined;
  }
  const path = keyPath.split('.');
  const places = path.map((_, index) => at(1 + path.slice(0, index).join('.').length + (index > 0 ? 1 : 0)));
  const { reader, depth } = knownPart(path);
  const wrong = path[depth];
  if (wrong !== undefined) {
    // Below a key without keys may stand a password, so the path is shown as far as it is known.
    const known = path.slice(0, depth).join('.');
    if (!reader.keys) report(places[depth] ?? at(1), known, `a value set as a whole: ${known}=…`);
    else
      report(
        places[depth] ?? at(1),
        path.slice(0, depth + 1).join('.'),
        unknownKey(wrong, reader.keys.keys()),
      );
    return undefined;
  }
  const start = at(keyPath.length + 2);
  const empty = { kind: 'scalar', text: '', quoted: false, at: start } as const;
  let broken = false;
  const value = readSetting(text, start, reader.writing, (place, _, expected) => {
    broken = true;
    report(place, keyPath, expected);
  });
  return broken ? undefined : layerOf(path, places, value ?? empty);
}
