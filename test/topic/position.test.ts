import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { formatPosition, newEpoch, parsePosition, rankOf } from '../../src/topic/position.ts';

const rank = fc.integer({ min: 1, max: 36 ** 10 - 1 });
const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('a position is written as its epoch and its offset', (t) => {
  t.is(formatPosition({ epoch: '1abc123', offset: 42 }), '1abc123:42');
  t.deepEqual(parsePosition('1abc123:42'), { epoch: '1abc123', offset: 42 });
  t.deepEqual(parsePosition('1abc123:0'), { epoch: '1abc123', offset: 0 });
});

test('what was written is read back, and the rank of its epoch with it', (t) => {
  fc.assert(
    fc.property(rank, offset, (of, at) => {
      const position = { epoch: newEpoch(of), offset: at };
      assert.deepEqual(parsePosition(formatPosition(position)), position);
      assert.equal(rankOf(position.epoch), of);
      assert.match(position.epoch, /^[0-9a-z]{7,16}$/);
    }),
  );
  t.pass();
});

test('whatever is no position is refused, and nothing is rounded', (t) => {
  const epoch = '1abc123';
  const bad = [
    '',
    ':',
    'x',
    '1',
    epoch,
    `${epoch}:`,
    `${epoch}:-1`,
    `${epoch}:01`,
    `${epoch}:1.5`,
    `${epoch}: 1`,
  ];
  bad.push(
    `${epoch}:1e3`,
    `${epoch}:1 `,
    `${epoch}:1:1`,
    `1ABC123:1`,
    `1äbc123:1`,
    'abcdef:1',
    `${'a'.repeat(17)}:1`,
  );
  bad.push(`${epoch}:9007199254740992`, `${epoch}:99999999999999999999`, `\n${epoch}:1`, `${epoch}:1\n`);
  for (const text of bad) t.is(parsePosition(text), null, JSON.stringify(text));
  t.deepEqual(parsePosition(`${epoch}:9007199254740991`), { epoch, offset: Number.MAX_SAFE_INTEGER });
  t.not(parsePosition(`${'a'.repeat(16)}:1`), null);
});

test('no text makes the parser throw, and what it takes is written the same way', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-z]{6,18}:\d{0,20}$/)), (text) => {
      const position = parsePosition(text);
      if (position !== null) assert.equal(formatPosition(position), text);
    }),
  );
  t.pass();
});
