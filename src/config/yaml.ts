import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  Parser,
  Scalar as YamlScalar,
} from 'yaml';
import { type Entry, isNull, type Place, type Report, type Value } from './value.ts';

/** A configuration is written by hand: more than this is another file, named by mistake. In characters. */
export const longestText = 1_048_576;

/** The composer recurses, and at the end of the stack a regular expression aborts the process: stay far from it. */
const deepest = 50;

/**
 * The value that `text` writes, or undefined when it writes none (it is empty) or cannot be read. Never throws; what
 * is wrong goes to `report`. `first` is where the text starts (a flag's value starts inside its argument).
 */
export function readYaml(text: string, first: Place, report: Report): Value | undefined {
  if (text.length > longestText) {
    report(first, 'yaml', 'at most 1 MiB of text');
    return undefined;
  }
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return {
      file: first.file,
      line: first.line + line - 1,
      column: line === 1 ? first.column + col - 1 : col,
    };
  };
  const tokens = [...new Parser(lines.addNewLine).parse(text.startsWith('\uFEFF') ? text.slice(1) : text)];
  const tooDeep = tooDeepAt(tokens);
  if (tooDeep !== undefined) {
    report(placeOf(tooDeep), 'yaml', `at most ${deepest} levels of nesting`);
    return undefined;
  }

  // The failsafe schema leaves every scalar a string; repeated keys are for the readers, who know which are secret.
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, merge: false, prettyErrors: false });
  const documents = [...composer.compose(tokens, false, text.length)];
  const [document, second] = documents;
  const faults = documents.flatMap((each) => [...each.errors, ...each.warnings]);
  const reported = new Set<string>();
  for (const { code, pos } of faults) {
    const at = placeOf(pos[0]);
    const once = `${at.line} ${code}`;
    if (!reported.has(once)) report(at, 'yaml', wanted.get(code) ?? 'valid YAML');
    reported.add(once);
  }
  if (second?.contents?.range && !isBlankDocument(second)) {
    report(placeOf(second.contents.range[0]), 'yaml', 'one document; a second one starts here');
  }
  return document?.contents ? fromNode(document.contents, placeOf, report) : undefined;
}

function isBlankDocument(document: Document.Parsed<ParsedNode>): boolean {
  const range = document.contents?.range;
  return !range || range[0] === range[1];
}

/** The offset of the first token that is nested too deep; without recursion, as the depth is the danger. */
function tooDeepAt(tokens: readonly CST.Token[]): number | undefined {
  const todo: [CST.Token, number][] = tokens.map((token) => [token, 0]);
  for (let next = todo.pop(); next; next = todo.pop()) {
    const [token, depth] = next;
    if (depth > deepest) return token.offset;
    if ('items' in token) {
      for (const { key, value } of token.items) {
        if (key) todo.push([key, depth + 1]);
        if (value) todo.push([value, depth + 1]);
      }
    } else if (token.type === 'document' && token.value) todo.push([token.value, depth]);
  }
  return undefined;
}

// Words of our own, because the library's may repeat what is written at the place, and that may be a secret.
const wanted = new Map<string, string>([
  ['ALIAS_PROPS', 'an alias without an anchor or a tag of its own'],
  ['BAD_ALIAS', 'an alias with a name, such as *name'],
  ['BAD_COLLECTION_TYPE', 'a value that fits its tag'],
  ['BAD_DIRECTIVE', 'a directive such as %YAML 1.2'],
  ['BAD_DQ_ESCAPE', 'a valid escape inside double quotes (a backslash is written \\\\)'],
  ['BAD_INDENT', 'indentation that fits the lines above, and a closing bracket for every open one'],
  ['BAD_PROP_ORDER', 'an anchor or a tag right before its value'],
  ['BAD_SCALAR_START', 'quotes around a value that starts with this character'],
  ['BLOCK_AS_IMPLICIT_KEY', 'a plain word as a key'],
  ['BLOCK_IN_FLOW', 'no block inside brackets'],
  ['DUPLICATE_KEY', 'each key once'],
  ['IMPOSSIBLE', 'valid YAML'],
  ['KEY_OVER_1024_CHARS', 'a key of at most 1024 characters'],
  ['MISSING_CHAR', 'a bracket, quote, colon, comma or space that is missing here'],
  ['MULTILINE_IMPLICIT_KEY', 'a key on one line, with its colon'],
  ['MULTIPLE_ANCHORS', 'one anchor'],
  ['MULTIPLE_DOCS', 'one document; a second one starts here'],
  ['MULTIPLE_TAGS', 'one tag'],
  ['NON_STRING_KEY', 'a plain word as a key'],
  ['RESOURCE_EXHAUSTION', 'less nesting'],
  ['TAB_AS_INDENT', 'spaces, not a tab, as indentation'],
  ['TAG_RESOLVE_FAILED', 'a value without a tag'],
  ['UNEXPECTED_TOKEN', 'the end of the value, or the next key on a line of its own'],
]);

/** How many values the aliases of one text may stand for; a few kilobytes of them can stand for billions. */
const mostExpanded = 100_000;

/**
 * The value of a parsed node, aliases and merge keys (`<<`) resolved; undefined when a fault was reported. An anchor
 * counts from the end of its value, so nothing can contain itself.
 */
function fromNode(root: Node, placeOf: (offset: number) => Place, report: Report): Value | undefined {
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
