import test from 'ava';
import { isUnfinished } from '../../src/attach/client/terminal.ts';

test('more lines are asked for as long as something is open', (t) => {
  for (const text of [
    '{',
    'f(',
    'f(1,',
    'const a = {x: 1,',
    '`a',
    'if (a) {',
    'await f(',
    'for await (const a of b) {',
    '[1,\n2',
    'f({a:\n1',
  ])
    t.true(isUnfinished(text), text);
});

test('a whole expression is done, and so is one that more lines would not save', (t) => {
  for (const text of [
    '1',
    'await f()',
    'const a = await b',
    'for await (const a of b) {}',
    'f(1 2',
    ')',
    'a b',
    '"x',
    'state(<5>)',
  ])
    t.false(isUnfinished(text), text);
});
