import type { NodeView } from '../view/relay-view.ts';
import type { OptionTable } from './operations/given.ts';
import type { Operation } from './operations/operation.ts';

/**
 * What may follow what was typed, of operations: their names, what their first argument may be, their options, and the words of
 * those. An offer takes the place of the longest end of the text that it begins with.
 */
export interface CompletionWorld {
  readonly node: NodeView;
  /** By name, help included. */
  readonly operations: ReadonlyMap<string, Operation>;
  /** What is typed is JavaScript, in which a word without quotes is a variable. */
  readonly evaluation: boolean;
}

/** Offers at one time: more are no choice. */
const MOST = 100;
/** Characters before the cursor that are looked at. */
const LOOKED_AT = 1000;

/** Null: what may stand here is none of an operation's. */
export function operationCompletions(
  { node, operations, evaluation }: CompletionWorld,
  text: string,
): string[] | null {
  const place = placeIn(asCall(text.slice(-LOOKED_AT), operations), operations);
  switch (place.type) {
    case 'elsewhere':
      return null;
    case 'name': {
      const found = offers(operations.keys(), place.typed);
      return found.length === 0 ? null : found;
    }
    case 'text':
      return place.typed.startsWith('topic:') ? quotable(topicNames(node), place.typed) : [];
    case 'first': {
      const { operation, typed, quote } = place;
      if (quote !== '') return quotable(firsts(node, operation, typed), typed);
      if (/^<\d*$/.test(typed)) return offers(pids(node), typed);
      if (evaluation && typed !== '') return null;
      const found = quotable(firsts(node, operation, typed), typed);
      const options = operation.options === undefined || typed !== '' ? [] : ['{'];
      return [...options, ...(evaluation ? found.map(quoted) : found)];
    }
    case 'option':
      return offers(
        Object.entries(place.options)
          .filter(([name]) => !place.given.has(name))
          .map(([name, { words, isSwitch = false }]) =>
            isSwitch ? `${name}: true` : words === undefined ? `${name}: ` : `${name}: '`,
          ),
        place.typed,
      );
    case 'value': {
      const { option, typed, quote } = place;
      const words = option.isTopic === true ? [...topicNames(node)] : (option.words ?? []);
      if (quote !== '' || !evaluation) return quotable(words, typed);
      return typed === '' ? quotable(words, '').map(quoted) : null;
    }
  }
}

type Place =
  /** No operation has to do with it. */
  | { readonly type: 'elsewhere' }
  /** Nothing stands before it. */
  | { readonly type: 'name'; readonly typed: string }
  /** In quotes that belong to no operation. */
  | { readonly type: 'text'; readonly typed: string }
  | { readonly type: 'first'; readonly operation: Operation; readonly typed: string; readonly quote: string }
  | {
      readonly type: 'option';
      readonly options: OptionTable;
      readonly given: ReadonlySet<string>;
      readonly typed: string;
    }
  | {
      readonly type: 'value';
      readonly option: OptionTable[string];
      readonly typed: string;
      readonly quote: string;
    };

/** A bracket that is open. */
interface Open {
  readonly bracket: string;
  /** The name before a round one. */
  readonly name: string;
  /** Commas in it so far. */
  commas: number;
  /** Of braces: the options that stand in them, and the one whose value is being typed. */
  readonly given: Set<string>;
  key: string | null;
}

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Where the text ends: a scanner of brackets, quotes and commas, which is right for what is typed as a call of an operation. */
function placeIn(text: string, operations: ReadonlyMap<string, Operation>): Place {
  const open: Open[] = [];
  /** Where what is being typed begins: behind the last bracket, comma, colon, blank or quote. */
  let from = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    const top = open.at(-1);
    if (quote !== '') {
      if (character === '\\') at++;
      else if (character === quote) {
        quote = '';
        from = at + 1;
      }
      continue;
    }
    switch (character) {
      case '"':
      case "'":
      case '`':
        quote = character;
        from = at + 1;
        break;
      case '(':
      case '[':
      case '{':
        open.push({
          bracket: character,
          name: /[\w.]*$/.exec(text.slice(0, at))?.[0] ?? '',
          commas: 0,
          given: new Set(),
          key: null,
        });
        from = at + 1;
        break;
      case ')':
      case ']':
      case '}':
        if (top?.bracket === CLOSES[character]) open.pop();
        from = at + 1;
        break;
      case ',':
        if (top !== undefined) {
          top.commas++;
          top.key = null;
        }
        from = at + 1;
        break;
      case ':':
        // In a topic's name without quotes it is none.
        if (top?.bracket !== '{' || top.key !== null) break;
        top.key = text.slice(from, at).trim();
        top.given.add(top.key);
        from = at + 1;
        break;
      case ' ':
        if (text.slice(from, at).trim() === '') from = at + 1;
        break;
    }
  }
  const typed = text.slice(from);
  const [inner, outer] = [open.at(-1), open.at(-2)];
  if (inner?.bracket === '{' && outer?.bracket === '(') {
    const options = operations.get(outer.name)?.options;
    if (options === undefined) return quote === '' ? { type: 'elsewhere' } : { type: 'text', typed };
    const { key, given } = inner;
    if (key === null) return { type: 'option', options, given, typed };
    const option = Object.hasOwn(options, key) ? options[key] : undefined;
    return option === undefined ? { type: 'elsewhere' } : { type: 'value', option, typed, quote };
  }
  if (inner?.bracket === '(' && inner.commas === 0) {
    const operation = operations.get(inner.name);
    if (operation !== undefined) return { type: 'first', operation, typed, quote };
  }
  if (quote !== '') return { type: 'text', typed };
  if (inner !== undefined) return { type: 'elsewhere' };
  return /^\s*[a-z_.]*$/.test(text) ? { type: 'name', typed: text.trim() } : { type: 'elsewhere' };
}

/** Where nothing is evaluated brackets may be left out: `members topic:main:c`, `topics {by: name`. */
function asCall(text: string, operations: ReadonlyMap<string, Operation>): string {
  const [, name = '', rest = ''] = /^\s*([a-z_.]+)\s+([^\s(=][\s\S]*|)$/.exec(text) ?? [];
  return operations.has(name) ? `${name}(${rest}` : text;
}

function quoted(word: string): string {
  return `'${word}'`;
}

/** What the first argument of an operation may be. */
function firsts(node: NodeView, { takes }: Operation, typed: string): Iterable<string> {
  switch (takes) {
    case undefined:
      return [];
    case 'topic':
      return topicNames(node);
    case 'setting':
      return settingNames(node);
    case 'ref':
      if (typed.startsWith('topic:')) return topicNames(node);
      if (typed.startsWith('<')) return pids(node);
      return [...node.system.names.keys(), 'topic:'];
    default:
      return takes;
  }
}

function* topicNames({ topics }: NodeView): Iterable<string> {
  for (const topic of topics.all()) yield topic.toString();
}

/** Keys, and the sections that they stand in. */
function settingNames(node: NodeView): Iterable<string> {
  const names = new Set<string>();
  for (const { key } of node.settings()) {
    for (let end = key.indexOf('.'); end >= 0; end = key.indexOf('.', end + 1)) names.add(key.slice(0, end));
    names.add(key);
  }
  return names;
}

function* pids({ system }: NodeView): Iterable<string> {
  for (const process of system.processes.values()) yield process.toString();
}

/** Names that can stand in quotes as they are: some are chosen by clients. */
function quotable(names: Iterable<string>, typed: string): string[] {
  return offers(names, typed, (name) => !/['"`\\\p{Cc}]/u.test(name));
}

function offers(
  names: Iterable<string>,
  typed: string,
  isGood: (name: string) => boolean = () => true,
): string[] {
  const found: string[] = [];
  for (const name of names) if (name.startsWith(typed) && isGood(name) && found.push(name) === MOST) break;
  return found.sort();
}
