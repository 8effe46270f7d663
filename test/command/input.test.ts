import test from 'ava';
import fc from 'fast-check';
import { Failed } from '../../src/command/command.ts';
import { linesOf, wholeOf } from '../../src/command/input.ts';

async function* chunks(...parts: readonly (Buffer | string)[]) {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}
const all = async (lines: AsyncIterable<string>) => {
  const got: string[] = [];
  for await (const line of lines) got.push(line);
  return got;
};
const lines = (...parts: readonly (Buffer | string)[]) => all(linesOf(chunks(...parts), 'in'));

test('lines come without their ends; the last one needs none', async (t) => {
  t.deepEqual(await lines('a\nb\n'), ['a', 'b']);
  t.deepEqual(await lines('a\r\n\r\nb'), ['a', '', 'b']);
  t.deepEqual(await lines('a', 'b\nc', '\n'), ['ab', 'c']);
  t.deepEqual(await lines('a\r', '\nb'), ['a', 'b']);
  t.deepEqual(await lines(), []);
  t.deepEqual(await lines('\n'), ['']);
  t.deepEqual(await lines('é\n'), ['é']);
});

test('however a text is cut into pieces, its lines are the same', async (t) => {
  const text = fc.array(fc.constantFrom('a', 'é', '🎺', '\n', 'b')).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(20)), async (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      const wanted = whole === '' ? [] : whole.replace(/\n$/, '').split('\n');
      t.deepEqual(await lines(...pieces), wanted);
    }),
  );
});

test('what is no UTF-8 is refused with its line', async (t) => {
  const error = await t.throwsAsync(lines('a\n', Buffer.from([0xff, 0x0a])), { instanceOf: Failed });
  t.deepEqual(error?.lines, ['in, line 2: not text in UTF-8']);
});

test('the whole of the input is one text, without the end of its last line', async (t) => {
  t.is(await wholeOf(chunks('a\nb', '\n'), 'in'), 'a\nb');
  t.is(await wholeOf(chunks('a\r\n'), 'in'), 'a');
  t.is(await wholeOf(chunks('a\n\n'), 'in'), 'a\n');
  t.is(await wholeOf(chunks(), 'in'), '');
});
