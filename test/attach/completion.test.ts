import test from 'ava';
import { completed } from '../../src/attach/client/terminal.ts';
import { operationCompletions } from '../../src/attach/completion.ts';
import { operations } from '../../src/attach/operations.ts';
import type { NodeView } from '../../src/view/relay-view.ts';

const names = ['topic:main:chat', 'topic:main:chess', "topic:main:it's"];
const node = {
  topics: { all: () => names.map((name) => ({ toString: () => name })) },
  system: {
    names: new Map([
      ['listener.pusu', {}],
      ['root', {}],
    ]),
    processes: new Map([88, 89, 7].map((id) => [id, { toString: () => `<${id}>` }])),
  },
  settings: () => [
    { key: 'limits.drain', value: '', from: '' },
    { key: 'limits.pong', value: '', from: '' },
    { key: 'node', value: '', from: '' },
  ],
} as unknown as NodeView;

const offered = (text: string, evaluation = true) =>
  operationCompletions({ node, operations: operations.byName, evaluation }, text);

test('names of operations are offered where a line begins', (t) => {
  t.deepEqual(offered('top'), ['top', 'topics']);
  t.deepEqual(offered('init'), ['init.stop']);
  t.deepEqual(offered(' tim'), ['timeline']);
  t.is(offered('')?.length, operations.byName.size);
  t.is(offered('1 + to'), null);
});

test('options are offered in braces, without those that are there, and a switch with its value', (t) => {
  t.deepEqual(offered('topics({'), ["by: '", 'n: ', 'offset: ', 'window: ']);
  t.deepEqual(offered('topics({ o'), ['offset: ']);
  t.deepEqual(offered("await topics({by: 'rate', n: 3, "), ['offset: ', 'window: ']);
  t.deepEqual(offered("kill('<88>', {"), ['force: true']);
  t.deepEqual(offered('trace(<88>, {m'), ['max: ']);
  t.deepEqual(offered('peers({'), null);
});

test('the words of an option are offered, in quotes', (t) => {
  t.deepEqual(offered("top({by: '"), ['handled', 'mailbox', 'pending']);
  t.deepEqual(offered('top({n: 5, by: "m'), ['mailbox']);
  t.deepEqual(offered('top({by:'), ["'handled'", "'mailbox'", "'pending'"]);
  t.deepEqual(offered("connections({topic: 'topic:main:ch"), ['topic:main:chat', 'topic:main:chess']);
  t.deepEqual(offered("topics({n: '"), []);
  t.is(offered('top({n: 1'), null);
  t.is(offered('top({constructor: '), null);
});

test('topics and refs are offered where an operation takes them; a name that would need an escape is not', (t) => {
  t.deepEqual(offered("members('topic:"), ['topic:main:chat', 'topic:main:chess']);
  t.deepEqual(
    offered('members('),
    ['{', "'topic:main:chat'", "'topic:main:chess'"].sort((a, b) => (a === '{' ? -1 : b === '{' ? 1 : 0)),
  );
  t.deepEqual(offered("i('"), ['listener.pusu', 'root', 'topic:']);
  t.deepEqual(offered("i('topic:main:che"), ['topic:main:chess']);
  t.deepEqual(offered("state('<8"), ['<88>', '<89>']);
  t.deepEqual(offered('state(<8'), ['<88>', '<89>']);
  t.deepEqual(offered("config('limits"), ['limits', 'limits.drain', 'limits.pong']);
  t.deepEqual(offered("log_level('"), ['debug', 'error', 'fatal', 'info', 'silent', 'trace', 'warn']);
  t.deepEqual(offered("f('topic:main:chat"), ['topic:main:chat']);
  t.deepEqual(offered("f('a"), []);
});

test('what is a variable, or stands elsewhere, is left to the evaluator', (t) => {
  for (const text of [
    'state(lis',
    'f(',
    'f({a',
    'relay.sys',
    "members('topic:main:chat'); f(",
    'topics({n: [',
  ])
    t.is(offered(text), null, text);
});

test('where nothing is evaluated brackets and quotes may be left out', (t) => {
  t.deepEqual(offered('members topic:main:chat', false), ['topic:main:chat']);
  t.deepEqual(offered('topics {', false), ["by: '", 'n: ', 'offset: ', 'window: ']);
  t.deepEqual(offered('topics {by: r', false), ['rate']);
  t.deepEqual(offered('state(lis', false), ['listener.pusu']);
  t.deepEqual(offered('log_level d', false), ['debug']);
});

test('offers take the place of what they begin with', (t) => {
  t.is(completed('topics({o', ['offset: ']), 'o');
  t.is(completed("i('lis", ['listener.pusu']), 'lis');
  t.is(completed("members('topic:main:c", ['topic:main:chat', 'topic:main:chess']), 'topic:main:c');
  t.is(completed('topics({', ['by: ', 'n: ']), '');
  t.is(completed('tt', ['tree', 'top']), 't');
  t.is(completed('', []), '');
});
