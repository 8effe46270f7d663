import test from 'ava';
import { Failed } from '../../src/command/command.ts';
import { jsonIn } from '../../src/command/json-content.ts';

test('JSON of any kind is read', (t) => {
  for (const value of [null, true, 'x', 1.5, [1, { a: 'b' }], 9007199254740991]) {
    t.deepEqual(jsonIn(JSON.stringify(value), 'in'), value);
  }
  t.deepEqual(jsonIn('"12345678901234567890"', 'in'), '12345678901234567890', 'digits in a text are a text');
  t.deepEqual(jsonIn('{"a\\"1":"\\\\", "b": 1e300}', 'in'), { 'a"1': '\\', b: 1e300 });
});

test('a whole number that would arrive as another one is refused', (t) => {
  for (const text of [
    '12345678901234567890',
    '{"id": 9007199254740993}',
    '[-9007199254740993]',
    '12345678901234567890.0',
    '[1e999]',
    '-1e400',
  ]) {
    const error = t.throws(() => jsonIn(text, 'line 3'), { instanceOf: Failed });
    t.regex(error?.lines[0] ?? '', /^line 3: -?[\d.e]+ is beyond/);
  }
});

test('what is no JSON is refused', (t) => {
  const error = t.throws(() => jsonIn('{a: 1}', 'line 1'), { instanceOf: Failed });
  t.regex(error?.lines[0] ?? '', /^line 1: not JSON/);
});
