import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar as YamlScalar,
} from 'yaml';
import type { Place, Report } from './config-error.ts';
import { type Entry, isNull, type Value } from './value.ts';

/** How many values the aliases of one text may stand for; a few kilobytes of them can stand for billions. */
const mostExpanded = 100_000;

/**
 * The value of a parsed node, aliases and merge keys (`<<`) resolved; undefined when a fault was reported. An anchor
 * counts from the end of its value, so nothing can contain itself.
 */
export function fromNode(root: Node, placeOf: (offset: number) => Place, report: Report): Value | undefined {
  const anchors = new Map<string, Value>();
  /** Values with everything below them, aliases expanded. */
  const weights = new Map<Value, number>();
  let broken = false;
  let mergedSoFar = 0;

  const fault = (at: Place, expected: string): undefined => {
    broken = true;
    report(at, 'yaml', expected);
  };
  const place = (node: Node): Place => placeOf(node.range?.[0] ?? 0);
  const weigh = (value: Value, parts: readonly Value[]): Value => {
    const weight = parts.reduce((sum, part) => sum + (weights.get(part) ?? 1), 1);
    if (weight > mostExpanded && !broken)
      fault(value.at, `aliases that stand for at most ${mostExpanded} values`);
    weights.set(value, weight);
    return value;
  };

  const convert = (node: Node): Value => {
    const value = bare(node);
    if (!isAlias(node) && (isScalar(node) || isCollection(node)) && node.anchor)
      anchors.set(node.anchor, value);
    return value;
  };

  const bare = (node: Node): Value => {
    const at = place(node);
    if (isMap<Node, Node | null>(node)) {
      const entries = entriesOf(node.items, at);
      return weigh(
        { kind: 'map', entries, at },
        entries.map((entry) => entry.value),
      );
    }
    if (isSeq<Node>(node)) {
      const items = node.items.map(convert);
      return weigh({ kind: 'list', items, at }, items);
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target) return weigh({ ...target, at }, [target]);
      fault(at, 'an alias of an anchor that stands before it');
    }
    return { kind: 'scalar', ...written(node), at };
  };

  const entriesOf = (pairs: readonly Pair<Node, Node | null>[], at: Place): Entry[] => {
    const own: Entry[] = [];
    let merged: Entry[] = [];
    for (const { key, value: node } of pairs) {
      const keyAt = key ? place(key) : at;
      const value: Value = node ? convert(node) : { kind: 'scalar', text: '', quoted: false, at: keyAt };
      const name = isScalar(key) ? written(key) : undefined;
      if (name === undefined || (name.text === '' && !name.quoted)) fault(keyAt, 'a plain word as a key');
      else if (name.text === '<<' && !name.quoted) merged = merged.concat(toMerge(value, keyAt));
      else own.push({ key: name.text, value, at: keyAt });
    }
    const taken = new Set(own.map((entry) => entry.key));
    for (const entry of merged) {
      if (!taken.has(entry.key)) own.push(entry);
      taken.add(entry.key);
    }
    return own;
  };

  const toMerge = (value: Value, at: Place): readonly Entry[] => {
    if (isNull(value)) return [];
    const sources = value.kind === 'list' ? value.items : [value];
    if (!sources.every((source) => source.kind === 'map')) {
      fault(at, 'a map to merge, or a list of maps');
      return [];
    }
    // Unlike an alias, a merge is a copy.
    mergedSoFar += sources.reduce((sum, source) => sum + source.entries.length, 0);
    if (mergedSoFar <= mostExpanded) return sources.flatMap((source) => source.entries);
    if (!broken) fault(at, `merge keys that stand for at most ${mostExpanded} values`);
    return [];
  };

  const value = convert(root);
  return broken ? undefined : value;
}

function written(node: Node): { text: string; quoted: boolean } {
  if (!isScalar(node)) return { text: '', quoted: false };
  const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
  return { text, quoted: node.type !== undefined && node.type !== YamlScalar.PLAIN };
}
