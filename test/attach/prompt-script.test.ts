import { createContext, Script } from 'node:vm';
import test from 'ava';
import { promptScript } from '../../src/attach/prompt-script.ts';

/** Runs one text after the other in the same session; returns what the last came to. */
async function typed(...texts: readonly string[]): Promise<unknown> {
  const context = createContext({ later: (value: unknown) => Promise.resolve(value), seen: [] });
  let value: unknown;
  for (const text of texts) {
    const { source, awaits } = promptScript(text);
    const came: unknown = new Script(source).runInContext(context);
    value = awaits ? ((await came) as { readonly value: unknown } | undefined)?.value : came;
  }
  return value;
}

for (const [what, texts, value] of [
  ['a declaration lasts', ['const a = 1, b = 2', 'a + b'], 3],
  ['a declaration has no value', ['1; let a = 2'], undefined],
  [
    'it may be made again, as another kind',
    ['const a = 1', 'let a = 2', 'class a {}', 'function a() { return 3 }', 'a()'],
    3,
  ],
  ['let without a value is undefined', ['let a = 1', 'let a', 'a'], undefined],
  ['var without a value keeps the one there is', ['var a = 1', 'var a', 'a'], 1],
  [
    'patterns declare all their names',
    ['const { a, b: [c, , d = 4], ...e } = { a: 1, b: [3], f: 5, g: 6 }', '[a, c, d, e.f, e.g].join()'],
    '1,3,4,5,6',
  ],
  [
    'the next line does not go on with it',
    ['let a = 1\nlet b\n;[a]\nlet c\n(a)', 'String([a, b, c])'],
    '1,,',
  ],
  [
    'functions and classes keep their names',
    ['const f = () => {}, g = class {}; class H {}', 'f.name + g.name + H.name'],
    'fgH',
  ],
  ['a class lasts', ['class A { b = 1 }', 'new A().b'], 1],
  [
    'blocks keep what is theirs',
    ['{ let a = 1; const b = 2 } for (let c = 0; c < 1; c++); typeof a + typeof b + typeof c'],
    'undefinedundefinedundefined',
  ],
  ['await stands anywhere', ['1 + await later(2)'], 3],
  ['what is declared with it lasts', ['const a = await later(1), { b } = await later({ b: 2 })', 'a + b'], 3],
  ['in brackets, with a semicolon and a comment', ['(await later(1)); // one'], 1],
  ['and a comment alone', ['await later(1) // one'], 1],
  [
    'a value that is a promise is not waited for',
    ['await 1; later(2) instanceof Promise || typeof later(2).then'],
    'function',
  ],
  [
    'var of every depth belongs to the session',
    [
      'if (await later(1)) { var a = 1; for (var b = 2, c; c; ); for (var d of [await later(3)]) { var [e] = [4] } } for (var f in { g: 1 });',
      '[a, b, c, d, e, f].join()',
    ],
    '1,2,,3,4,f'.replace('f', 'g'),
  ],
  [
    'var as the only body',
    ['if (await later(0)) var a = 1; else var b = 2', '[typeof a, b].join()'],
    'undefined,2',
  ],
  [
    'functions beside an await are hoisted, and last',
    ['const a = f(); await later(1); function f() { return 2 }', 'f() + a'],
    4,
  ],
  ['classes beside an await last', ['await later(1); class A { static b = 2 }', 'A.b'], 2],
  [
    'for await',
    ['const all = []; for await (const one of [later(1), 2]) all.push(one)', 'all.join()'],
    '1,2',
  ],
  [
    'await in a function is not at the top',
    ['(async () => { await later(1) })().constructor.name'],
    'Promise',
  ],
  ['a pid stands among arguments', ['String(<88>)'], '<88>'],
  ['and in text it is text', ['String("(<88>)")'], '(<88>)'],
  ['with an await, too', ['await later(<88>)'], '<88>'],
] as const)
  test(`${what}: ${texts.join(' ⏎ ').replaceAll('\n', ' ')}`, async (t) => {
    t.is(await typed(...texts), value);
  });

test('what is no JavaScript is left as it is', (t) => {
  for (const source of ['({', 'f(<88>', 'return 1', 'class A { static { await 1 } }', '('.repeat(1e5)])
    t.like(promptScript(source), { source, columnOffset: 0, awaits: false }, source.slice(0, 20));
});

test('places are those of what was typed', (t) => {
  for (const text of ['null.x', 'const a = 1; null.x', '\nconst b = 2\nnull.x'])
    try {
      const { source, columnOffset } = promptScript(text);
      new Script(source, { columnOffset, filename: 'here' }).runInContext(createContext());
      t.fail();
    } catch (error) {
      const lines = text.split('\n');
      // A declaration has become longer.
      const column = text.startsWith('const') ? lines.at(-1)?.indexOf('x') : lines.at(-1)?.indexOf('.x');
      t.regex(String((error as Error).stack), new RegExp(`here:${lines.length}:${Number(column) + 2}`), text);
    }
});
