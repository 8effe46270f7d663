import test from 'ava';
import { Line } from '../../../src/topic/history/line.ts';
import { Replays } from '../../../src/topic/history/replays.ts';
import { Ring } from '../../../src/topic/history/ring.ts';
import { keeping, numbering, textMessage } from '../topics-world.ts';

const all = { offset: 1000, version: 1000 };
const nobody = { allocated: () => undefined, kept: () => undefined, letGo: () => undefined };

function lineWith(count: number, size = 10) {
  const bounds = keeping({ messages: 1000, bytes: 1024 ** 3 }).rule?.('kept');
  if (bounds == null) throw new Error('no rule');
  const line = new Line({ realm: 'main', name: 'kept' }, new Ring(bounds, nobody));
  for (let i = 0; i < count; i++) line.take(textMessage('x'.repeat(size)), 0);
  const from = (offset: number) => {
    const cursor = line.resume({ epoch: line.epoch, offset }, 0, 1024 ** 3).from;
    if (cursor === null) throw new Error('nothing is kept');
    return cursor;
  };
  return { line, from };
}

test('the same part of a line is rendered once for a format, until something happens to the line', (t) => {
  let rendered = 0;
  const format = numbering('counting', () => rendered++);
  const replays = new Replays();
  const { line, from } = lineWith(5);
  const first = replays.next(line, format, from(2), all);
  t.is(replays.next(line, format, from(2), all), first);
  t.is(rendered, 3);
  replays.next(line, format, from(3), all);
  t.is(rendered, 5);
  replays.next(line, numbering('another'), from(2), all);
  line.take(textMessage('new'), 0);
  const second = replays.next(line, format, from(2), all);
  t.is(rendered, 9);
  t.is(second.bytes?.toString().split('\n').length, 4);
});

test('a part ends with 64 KiB of messages, and the next begins behind it', (t) => {
  const format = numbering('numbering');
  const { line, from } = lineWith(10, 20_000);
  const replays = new Replays();
  const first = replays.next(line, format, from(0), all);
  t.like(first, { count: 4, isLast: false });
  const second = replays.next(line, format, first.end, all);
  t.like(second, { count: 4, isLast: false });
  const third = replays.next(line, format, second.end, all);
  t.like(third, { count: 2, isLast: true });
  t.is(third.end.offset, 11);
});

test('a hole is told to those who have not been told of it, and to them alone', (t) => {
  const format = numbering('numbering');
  const { line, from } = lineWith(2);
  line.change({ type: 'hole', count: 3, why: 'link' }, 0);
  line.take(textMessage('new'), 0);
  const replays = new Replays();
  const texts = (promised: number) =>
    replays
      .next(line, format, from(1), { offset: promised, version: line.version })
      .bytes?.toString()
      .split('\n');
  t.deepEqual(texts(6), ['2:xxxxxxxxxx', '6:new']);
  t.deepEqual(texts(2), ['2:xxxxxxxxxx', '-3 link', '6:new']);
  t.deepEqual(texts(6), ['2:xxxxxxxxxx', '6:new']);
  t.is(replays.next(line, format, from(1), { offset: 2, version: line.version }).count, 2);
});

test('what is held is bounded, however many lines are asked for', (t) => {
  const format = numbering('numbering');
  const replays = new Replays();
  for (let i = 0; i < 200; i++) {
    const { line, from } = lineWith(4, 20_000);
    replays.next(line, format, from(0), all);
    t.true(replays.held <= 4 * 1024 * 1024);
  }
  t.true(replays.held > 0);
});

test('once something happens to a line, what was held of it is let go', (t) => {
  const format = numbering('numbering');
  const replays = new Replays();
  const { line, from } = lineWith(4, 10_000);
  replays.next(line, format, from(0), all);
  const before = replays.held;
  line.take(textMessage('new'), 0);
  replays.next(line, format, from(4), all);
  t.true(replays.held < before / 10, `${replays.held} of ${before}`);
});
