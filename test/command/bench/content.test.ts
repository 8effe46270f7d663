import test from 'ava';
import { contentText, parseContent, SMALLEST } from '../../../src/command/bench/content.ts';

test('a content is as long as was asked for, and says its stream, number and intended time', (t) => {
  const content = { run: 'k3x9', stream: 12, number: 3456, intended: 7_890_123.456 };
  const text = contentText(content, 128);
  t.is(text.length, 128);
  t.deepEqual(parseContent(text, 'k3x9'), content);
});

test('the smallest size holds the largest numbers', (t) => {
  const text = contentText(
    { run: 'zzzzzzzz', stream: 99_999, number: 1e11, intended: 1e12 + 0.001 },
    SMALLEST,
  );
  t.is(text.length, SMALLEST);
});

test('what is of another run, or of none, is not ours', (t) => {
  const text = contentText({ run: 'a', stream: 1, number: 2, intended: 3 }, 64);
  for (const other of [null, 7, {}, '', 'a', 'a:1', 'Hello']) t.is(parseContent(other, 'a'), null);
  t.is(parseContent(text, 'b'), null);
});
