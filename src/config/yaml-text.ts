import { Composer, type CST, type Document, LineCounter, type ParsedNode, Parser } from 'yaml';
import type { Place, Report } from './config-error.ts';
import type { Value } from './value.ts';
import { fromNode } from './yaml-value.ts';

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
  if (second?.contents?.range && !isBlank(second)) {
    report(placeOf(second.contents.range[0]), 'yaml', 'one document; a second one starts here');
  }
  return document?.contents ? fromNode(document.contents, placeOf, report) : undefined;
}

function isBlank(document: Document.Parsed<ParsedNode>): boolean {
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
