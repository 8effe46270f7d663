import { type AnyNode, type Pattern, type Program, parse, type VariableDeclaration } from 'acorn';

/**
 * What was typed, as a script that V8 runs: `await` may stand at the top, and what is declared there lasts and may be
 * declared again. Node's own prompt rewrites what is typed in the same way. (V8's inspector can do this, but its answer
 * to a promise that nobody settles comes from within the garbage collector, and ends the process.)
 */
interface PromptScript {
  readonly source: string;
  /** Columns that the first line was moved by, below zero. */
  readonly columnOffset: number;
  /** The script's value is a promise of `{ value }`, or of undefined where the text has no value. */
  readonly awaits: boolean;
}

/** Never throws: a text that is no JavaScript is left as it is, so that V8 says what is wrong with it. */
export function promptScript(text: string): PromptScript {
  const typed = parsed(text);
  if (typed !== null) return rewritten(text, typed);
  const quoted = text.replace(REF, '$1"$2"');
  const program = quoted === text ? null : parsed(quoted);
  return program === null ? { source: text, columnOffset: 0, awaits: false } : rewritten(quoted, program);
}

/** `state(<88>)` is no JavaScript, and yet how a pid is printed: such arguments are put in quotes. */
const REF = /([(,]\s*)(<\d+>)(?=\s*[,)])/g;

function parsed(text: string): Program | null {
  try {
    return parse(text, { ecmaVersion: 'latest', allowAwaitOutsideFunction: true });
  } catch {
    return null;
  }
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The rewriting of one text: what is replaced in it, and the names that it declares. */
interface Rewriting {
  readonly edits: Edit[];
  readonly names: Set<string>;
}

function rewritten(text: string, program: Program): PromptScript {
  const rewriting: Rewriting = { edits: [], names: new Set() };
  const { edits, names } = rewriting;
  let awaits = false;
  eachInScope(program, (node) => {
    awaits ||= node.type === 'AwaitExpression';
    awaits ||= node.type === 'ForOfStatement' && node.await;
    awaits ||= node.type === 'VariableDeclaration' && node.kind === 'await using';
  });
  /** Declarations of functions, which are to be the session's and not those of the function that awaits. */
  let functions = '';
  for (const statement of program.body) {
    const { start, end } = statement;
    if (statement.type === 'VariableDeclaration') {
      if (statement.kind === 'let' || statement.kind === 'const') assignIn(rewriting, text, statement);
    } else if (statement.type === 'ClassDeclaration') {
      names.add(statement.id.name);
      edits.push(
        { start, end: start, text: `void (${statement.id.name} = ` },
        { start: end, end, text: ');' },
      );
    } else if (statement.type === 'FunctionDeclaration' && awaits) {
      functions += `${text.slice(start, end)}\n`;
      edits.push({ start, end, text: '' });
    }
  }
  if (awaits) {
    liftVars(rewriting, text, program);
    const last = program.body.at(-1);
    if (last?.type === 'ExpressionStatement') {
      const end = text[last.end - 1] === ';' ? last.end - 1 : last.end;
      edits.push(
        { start: last.start, end: last.start, text: 'return { __proto__: null, value: (' },
        { start: end, end, text: '\n) }' },
      );
    }
  }
  const declared = names.size === 0 ? '' : `var ${[...names].join(', ')}; `;
  const before = awaits ? `${declared}(async () => { ` : declared;
  const body = edited(text, edits);
  return {
    source: awaits ? `${before}${body}\n})();\n${functions}` : `${before}${body}`,
    columnOffset: -before.length,
    awaits,
  };
}

/** Every `var` outside of functions, at whatever depth, belongs to the session. */
function liftVars(rewriting: Rewriting, text: string, program: Program): void {
  const heads = new Set<AnyNode>();
  eachInScope(program, (node) => {
    if (node.type === 'ForStatement' && node.init) heads.add(node.init);
    if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') heads.add(node.left);
    if (node.type !== 'VariableDeclaration' || node.kind !== 'var') return;
    if (heads.has(node)) targetIn(rewriting, node);
    else assignIn(rewriting, text, node);
  });
}

/** `const a = 1, [b] = c;` becomes `void (a = 1, [b] = c);`. */
function assignIn({ edits, names }: Rewriting, text: string, declaration: VariableDeclaration): void {
  const { start, end, kind, declarations } = declaration;
  for (const { id } of declarations) namesIn(id, names);
  const [first, last] = [declarations[0], declarations.at(-1)];
  if (first === undefined || last === undefined) return;
  edits.push({ start, end: first.start, text: 'void (' });
  // A `var` without a value keeps the one that there is.
  if (kind !== 'var')
    for (const { init, end } of declarations) if (!init) edits.push({ start: end, end, text: ' = void 0' });
  // Without its semicolon a line that begins with a bracket would go on with it.
  edits.push({ start: last.end, end: last.end, text: text[end - 1] === ';' ? ')' : ');' });
}

/** The head of a loop: `for (var a of b)` becomes `for (a of b)`. */
function targetIn({ edits, names }: Rewriting, { start, declarations }: VariableDeclaration): void {
  for (const { id } of declarations) namesIn(id, names);
  edits.push({ start, end: declarations[0]?.start ?? start, text: '' });
}

function namesIn(pattern: Pattern, names: Set<string>): void {
  switch (pattern.type) {
    case 'Identifier':
      names.add(pattern.name);
      return;
    case 'ObjectPattern':
      for (const property of pattern.properties)
        namesIn(property.type === 'Property' ? property.value : property.argument, names);
      return;
    case 'ArrayPattern':
      for (const element of pattern.elements) if (element !== null) namesIn(element, names);
      return;
    case 'RestElement':
      namesIn(pattern.argument, names);
      return;
    case 'AssignmentPattern':
      namesIn(pattern.left, names);
      return;
    case 'MemberExpression':
      return;
  }
}

/** Each node that belongs to no function, and to no block that is like one; parents first. */
function eachInScope(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  if (/^(Function|ArrowFunction|StaticBlock)/.test(node.type)) return;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) eachInScope(child, visit);
    }
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function edited(text: string, edits: readonly Edit[]): string {
  let done = '';
  let at = 0;
  for (const { start, end, text: put } of [...edits].sort((a, b) => a.start - b.start)) {
    done += text.slice(at, start) + put;
    at = end;
  }
  return done + text.slice(at);
}
