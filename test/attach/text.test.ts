import test from 'ava';
import {
  bounded,
  counts,
  duration,
  left,
  right,
  safeBlock,
  safeJson,
  safeLine,
  shorten,
  spare,
  table,
  tableWithin,
  texts,
  whole,
  wrapped,
} from '../../src/attach/text.ts';

const hostile = 'a\u001b[2J\u0007b\u202ec\u0085\nd\u2028é😀';

test('a line shows control and bidirectional characters as escapes, and all others as they are', (t) => {
  t.is(safeLine(hostile), 'a\\x1b[2J\\x07b\\u202ec\\x85\\nd\\u2028é😀');
});

test('a block keeps its line ends and colours, and no other sequence', (t) => {
  t.is(
    safeBlock('a\n\u001b[31mred\u001b[39m\u001b[2J\u001b]0;x\u0007'),
    'a\n\u001b[31mred\u001b[39m\\x1b[2J\\x1b]0;x\\x07',
  );
});

test('JSON stays JSON, and means the same', (t) => {
  const json = safeJson(JSON.stringify({ topic: hostile }));
  t.deepEqual(JSON.parse(json), { topic: hostile });
  for (const character of ['\u0085', '\u202e', '\u2028', '\u001b']) t.false(json.includes(character));
});

test('what is longer than its limit is cut, and what is not is left', (t) => {
  t.is(shorten('😀😀😀', 3), '😀😀😀');
  t.is(shorten('😀😀😀😀', 3), '😀😀…');
  t.is(bounded('a\nb', 2), 'a\nb');
  t.is(bounded('a\nb\nc', 2), 'a\nb\n… 2 more characters');
  t.is(bounded('abcd', 5, 4), 'abcd');
  t.is(bounded('abcde', 5, 4), 'abcd\n… 1 more characters');
});

test('columns are aligned, numbers to the right', (t) => {
  const text = table(
    [
      { name: 'a', n: 1 },
      { name: 'long\u0007', n: 100 },
    ],
    left('name', ({ name }) => name),
    right('n', ({ n }) => String(n)),
  );
  t.deepEqual(text.split('\n'), ['name        n', 'a           1', 'long\\x07  100']);
  t.is(table([], left('x', String)), '(none)');
});

test('times and numbers are short', (t) => {
  t.deepEqual([999, 1000, 59_999, 60_000, 3_600_000, 90_000_000].map(duration), [
    '999ms',
    '1s',
    '59.9s',
    '1m 0s',
    '1h 0m',
    '1d 1h',
  ]);
  t.deepEqual([0, 999, 1000, 1_234_567].map(whole), ['0', '999', '1 000', '1 234 567']);
});

test('a table of more rows than a call takes arguments is a table', (t) => {
  const rows = Array.from({ length: 200_000 }, (_, i) => i);
  const text = table(rows, left('n', String));
  t.is(text.length, 'n\n'.length + rows.join('\n').length);
});

test('a table is cut to so many characters: texts first, then spare columns, and then texts to almost nothing', (t) => {
  const rows = [{ name: 'n'.repeat(40), note: 'o'.repeat(30), many: 123_456, more: 7 }];
  const columns = [...texts('name', 'note'), ...counts('many'), ...counts('more').map(spare)] as const;
  const at = (width: number) => tableWithin(width, rows, ...columns).split('\n')[1] ?? '';
  t.is(at(100), `${'n'.repeat(40)}  ${'o'.repeat(30)}  123 456     7`);
  t.is(at(87), at(100));
  t.is(at(86), `${'n'.repeat(38)}…  ${'o'.repeat(30)}  123 456     7`);
  t.is(at(65), `${'n'.repeat(23)}…  ${'o'.repeat(23)}…  123 456     7`);
  t.is(at(64), `${'n'.repeat(23)}…  ${'o'.repeat(28)}…  123 456`, 'texts have the room of what went');
  t.is(at(40), `${'n'.repeat(14)}…  ${'o'.repeat(13)}…  123 456`);
  t.is(at(10), `${'n'.repeat(7)}…  ${'o'.repeat(7)}…  123 456`);
});

test('words are put in lines of so many characters, and a longer word is cut', (t) => {
  t.is(wrapped('one two three', 13), 'one two three');
  t.is(wrapped('one two three', 12), 'one two\n  three');
  t.is(wrapped('one twothree four', 8), 'one\n  twothr\n  ee\n  four');
  t.is(wrapped('two three', 10, 'one  '), 'one  two\n     three');
  t.is(wrapped('threefour', 10, 'one  '), 'one  three\n     four');
  t.is(wrapped('one two', Number.POSITIVE_INFINITY), 'one two');
});
