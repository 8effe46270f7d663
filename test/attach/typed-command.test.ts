import test from 'ava';
import { typedCommand } from '../../src/attach/operations.ts';

test('a name and its arguments are read with and without brackets and quotes', (t) => {
  for (const [text, name, args] of [
    ['topics', 'topics', []],
    ['topics()', 'topics', []],
    ['  tree ( ) ; ', 'tree', []],
    ['members topic:main:chat', 'members', ['topic:main:chat']],
    ["members('topic:main:a b', {n: 3})", 'members', ['topic:main:a b', { n: 3 }]],
    ['kill(<88>, {force: true})', 'kill', ['<88>', { force: true }]],
    ['node_stats 2, 100', 'node_stats', [2, 100]],
    ['init.stop({confirm: true})', 'init.stop', [{ confirm: true }]],
  ] as const)
    t.deepEqual(typedCommand(text), { name, args } as never, text);
});

test('what is no such command is refused, and nothing of it is run', (t) => {
  for (const text of ['', '1 + 1', 'a.b.c()', 'tree(', 'kill({a: )', 'process.exit(1) + 2', 'x; y'])
    t.throws(() => typedCommand(text), { name: 'Refusal' }, text);
});
