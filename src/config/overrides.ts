import { keyPaths, relayKeys } from './keys.ts';
import { nearest, type Writing } from './kind.ts';
import { knownPart, type Layer, layerOf } from './layers.ts';
import { type Reader, unknownKey } from './section.ts';
import type { FileText, Place, Report, Scalar, Value } from './value.ts';
import { readYaml } from './yaml.ts';

/** What variables and flags set: they count above the file. */

const prefix = 'FANFARE_';

/** The credential of commands that are clients of a relay. */
export const TOKEN_VARIABLE = 'FANFARE_TOKEN';
/** The configuration file, where no `--config` names one. */
export const CONFIG_VARIABLE = 'FANFARE_CONFIG';

/** Of commands, and no settings, though they stand beside them. */
const commandVariables: ReadonlySet<string> = new Set([TOKEN_VARIABLE, CONFIG_VARIABLE]);

/** The variable that sets the key at `path`. */
export function variableOf(path: readonly string[]): string {
  return prefix + path.join('_').toUpperCase();
}

// Keys contain underscores themselves, so a variable is looked up, never taken apart. `network_port` and `network.port`
// share a variable, and one meaning.
const paths = new Map([...keyPaths(relayKeys)].map((path) => [variableOf(path), path]));

/** Behind the variable of a key: the file that holds the key's value, as container platforms hand out secrets. */
const FILE = '_FILE';

/** Where the environment's faults, warnings and files come from and go to. */
interface Surroundings {
  readonly report: Report;
  readonly warn: Report;
  readonly readText: (path: string) => FileText;
}

/**
 * The layers of the environment. An empty variable counts as not set, as deployments pass on what they do not have, but
 * for secrets: a relay without one would let in more than was meant. A variable of a section counts above those of its
 * keys.
 */
export function environmentLayers(env: NodeJS.ProcessEnv, surroundings: Surroundings): Layer[] {
  const layers: [depth: number, layer: Layer][] = [];
  const foreign: string[] = [];
  for (const [name, text = ''] of Object.entries(env)) {
    if (!name.startsWith(prefix) || commandVariables.has(name)) continue;
    const setting = settingOf(name);
    if (isForeign(name, text) || (setting === null && isDocker(name))) foreign.push(name);
    else if (setting === null) unknownVariable(name, surroundings.report);
    else {
      const layer = layerFrom(setting, text, env, surroundings);
      if (layer !== undefined) layers.push([setting.path.length, layer]);
    }
  }
  nameForeign(foreign, surroundings.warn);
  return layers.sort(([a], [b]) => b - a).map(([, layer]) => layer);
}

/** The key that a variable sets, and whether by the name of a file; null: none. */
interface Setting {
  readonly name: string;
  readonly path: readonly string[];
  readonly reader: Reader<unknown>;
  readonly byFile: boolean;
}

function settingOf(name: string): Setting | null {
  const own = paths.get(name);
  if (own !== undefined) return { name, path: own, reader: knownPart(own).reader, byFile: false };
  const path = name.endsWith(FILE) ? paths.get(name.slice(0, -FILE.length)) : undefined;
  if (path === undefined) return null;
  const { reader } = knownPart(path);
  return reader.keys === undefined ? { name, path, reader, byFile: true } : null;
}

function layerFrom(
  { name, path, reader, byFile }: Setting,
  value: string,
  env: NodeJS.ProcessEnv,
  { report, readText }: Surroundings,
): Layer | undefined {
  const at: Place = { file: name, line: 1, column: 1 };
  const key = path.join('.');
  const isSecret = reader.writing === 'secret';
  let text: string | undefined = value;
  if (byFile) {
    const direct = name.slice(0, -FILE.length);
    if (value === '' && !isSecret) return undefined;
    if (value !== '' && (env[direct] ?? '') !== '') {
      report(at, key, `only one of ${direct} and ${name}`);
      return undefined;
    }
    text = contentOf(value, at, key, report, readText);
  } else if (value === '' && (!isSecret || (env[name + FILE] ?? '') !== '')) return undefined;
  if (text === undefined) return undefined;
  let broken = false;
  const read = readSetting(text, at, reader.writing, (place, _, expected) => {
    broken = true;
    report(place, key, expected);
  });
  const places = path.map(() => at);
  return read === undefined || broken ? undefined : layerOf(path, places, read);
}

/** Without the end of its last line, which editors and `echo` write. */
function contentOf(
  file: string,
  at: Place,
  key: string,
  report: Report,
  readText: Surroundings['readText'],
): string | undefined {
  const wanted = 'the path of a file with the value';
  const read: FileText = file === '' ? { why: '' } : readText(file);
  if ('text' in read) return read.text.replace(/\r?\n$/, '');
  report(at, key, read.why === '' ? wanted : `${wanted}; ${read.why}`);
  return undefined;
}

/**
 * Kubernetes and Docker describe a service called `fanfare` or `fanfare-…` to every process beside it, in variables
 * such as `FANFARE_SERVICE_HOST`, `FANFARE_PORT=tcp://10.0.0.7:55000` and `FANFARE_PORT_55000_TCP_ADDR`.
 */
function isForeign(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

/** What Docker tells of a linked container that is called `fanfare`, or has it as an alias; and what images set. */
function isDocker(name: string): boolean {
  return /^FANFARE_(\w+_)?(NAME|VERSION|ENV_\w+)$/.test(name);
}

/** An operator may have meant a setting by such a variable. Their values are not ours to show. */
function nameForeign(names: readonly string[], warn: Report): void {
  const [first, ...more] = names.toSorted();
  if (first === undefined) return;
  const all = [first, ...more].join(', ');
  warn(
    { file: first, line: 1, column: 1 },
    'environment',
    `no setting, and left alone, as a platform makes it: ${all}`,
  );
}

function unknownVariable(name: string, report: Report): void {
  const whole = [...paths].find(
    ([variable, path]) => name.startsWith(`${variable}_`) && !knownPart(path).reader.keys,
  );
  const near = whole ? nearestBelow(whole[0], name) : nearest(name, [...paths.keys(), ...files()]);
  if (whole && near === undefined) {
    const [variable, path] = whole;
    report(
      { file: `${variable}_*`, line: 1, column: 1 },
      path.join('.'),
      `a value set as a whole, in ${variable}`,
    );
    return;
  }
  const hint =
    near === undefined ? 'FANFARE_ and the path of a key, such as FANFARE_LIMITS_PENDING' : undefined;
  report({ file: name, line: 1, column: 1 }, name, `unknown variable; ${hint ?? `did you mean ${near}?`}`);
}

/** What follows a key that is set as a whole may be a password, so only that is looked at, and must be very near. */
function nearestBelow(variable: string, name: string): string | undefined {
  const start = `${variable}_`;
  const after = name.slice(start.length);
  if (!/^[A-Z_]+$/.test(after)) return undefined;
  const known = [...paths.keys(), ...files()].filter((one) => one.startsWith(start));
  const near = nearest(
    after,
    known.map((one) => one.slice(start.length)),
  );
  return near === undefined ? undefined : start + near;
}

function* files(): Iterable<string> {
  for (const [name, path] of paths) if (!knownPart(path).reader.keys) yield name + FILE;
}

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

/** What a flag or a variable sets; undefined: nothing, or what cannot be read. `first` is where the text starts. */
function readSetting(
  text: string,
  first: Place,
  writing: Writing | undefined,
  report: Report,
): Value | undefined {
  if (writing === 'text' || writing === 'secret') return plainText(text, first);
  if (writing === 'words' && !isYaml(text)) return words(text, first, report);
  return readYaml(text, first, report);
}

/** YAML has more words for null, such as `~`: here each of them is a text, and may be somebody's secret. */
function plainText(text: string, at: Place): Scalar {
  return { kind: 'scalar', text, quoted: text !== '' && text !== 'null', at };
}

function scalar(text: string, at: Place): Scalar {
  return { kind: 'scalar', text, quoted: false, at };
}

/** A list or a map. `[::1]:5,a` is none: it begins with an address. */
function isYaml(text: string): boolean {
  const trimmed = text.trim();
  return (
    trimmed === '' ||
    /[\r\n]/.test(trimmed) ||
    /^(\{|- )/.test(trimmed) ||
    (trimmed.startsWith('[') && !/^\[[\da-f:.]*\](:\d|\s*,)/i.test(trimmed))
  );
}

/** What stands between commas; a comma within the quotes of an item is part of the item. */
const ITEMS = /(?<=^|,)(?:\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*|[^,]*)(?=,|$)/g;

/** Items in quotes are read as YAML has them: `"null"` is a text there, and null is none. */
function words(text: string, first: Place, report: Report): Value | undefined {
  const items = [...text.matchAll(ITEMS)].map(({ 0: part, index }) => {
    const at = { ...first, column: first.column + index + part.length - part.trimStart().length };
    const word = part.trim();
    return /^["']/.test(word) ? readYaml(word, at, report) : scalar(word, at);
  });
  if (!items.every((item) => item !== undefined)) return undefined;
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'list', items, at: first };
}
