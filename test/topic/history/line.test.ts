import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Cursor } from '../../../src/topic/history/cursor.ts';
import { Line } from '../../../src/topic/history/line.ts';
import { type Bounds, type Meter, Ring } from '../../../src/topic/history/ring.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';
import { textMessage } from '../topics-world.ts';

const KEY = { realm: 'main', name: 't' };
const plenty: Bounds = { messages: 1000, bytes: 1024 * 1024, age: 60_000 };

function metered() {
  const meter = { memory: 0, messages: 0, let: { messages: 0, bytes: 0, age: 0, total: 0 } };
  const counts: Meter = {
    allocated: (bytes) => {
      meter.memory += bytes;
    },
    kept: (messages) => {
      meter.messages += messages;
    },
    letGo: (messages, bound) => {
      meter.messages -= messages;
      meter.let[bound] += messages;
    },
  };
  return { meter, counts };
}

function lineOf(bounds: Partial<Bounds> = {}) {
  const { meter, counts } = metered();
  const ring = new Ring({ ...plenty, ...bounds }, counts);
  const line = new Line(KEY, ring, null, '1abcdef');
  const publish = (...texts: string[]) => {
    for (const text of texts) line.take(textMessage(text), 0);
    line.settle(0);
  };
  return { meter, ring, line, publish };
}

/** What a member would be sent from there on. */
function read(from: Cursor | null): string[] {
  const heard: string[] = [];
  const cursor = from?.copy();
  for (let entry = cursor?.peek() ?? null; entry !== null; entry = cursor?.peek() ?? null) {
    heard.push(entry.type === 'hole' ? `-${entry.missed}` : entry.message.payload.toString());
    cursor?.pass();
  }
  return heard;
}

const at = (offset: number, epoch = '1abcdef') => ({ epoch, offset });

test('what was missed is replayed, and it is known that nothing was', (t) => {
  const { line, publish } = lineOf();
  publish('a', 'b', 'c');
  const { resumption, from, messages } = line.resume(at(1), 0, 1000);
  t.deepEqual(resumption, { from: at(1), at: at(3), recovered: true });
  t.deepEqual(read(from), ['b', 'c']);
  t.is(messages, 2);
  t.deepEqual(line.resume(at(3), 0, 1000), {
    resumption: { from: at(3), at: at(3), recovered: true },
    from: null,
    messages: 0,
  });
  t.deepEqual(read(line.resume(at(0), 0, 1000).from), ['a', 'b', 'c']);
});

test('who asks for now, all, or the last gets that, and no word on what was missed', (t) => {
  const { line, publish } = lineOf();
  const nothing = { resumption: { from: at(0), at: at(0) }, from: null, messages: 0 };
  for (const since of ['now', 'all', 'last'] as const) t.deepEqual(line.resume(since, 0, 1000), nothing);
  publish('a', 'b');
  t.deepEqual(line.resume('now', 0, 1000).resumption, { from: at(2), at: at(2) });
  t.deepEqual(read(line.resume('all', 0, 1000).from), ['a', 'b']);
  t.deepEqual(line.resume('last', 0, 1000).resumption, { from: at(1), at: at(2) });
  t.deepEqual(read(line.resume('last', 0, 1000).from), ['b']);
  line.change({ type: 'hole', count: 2, why: 'restarted' }, 0);
  t.deepEqual(read(line.resume('last', 0, 1000).from), ['b', '-2']);
});

test('a position that nobody here knows is answered with nothing: it could be a duplicate', (t) => {
  const { line, publish } = lineOf();
  publish('a');
  for (const unknown of [at(2), at(1, '1zzzzzz'), at(0, '2abcdef')]) {
    const { resumption, from } = line.resume(unknown, 0, 1000);
    t.deepEqual(resumption, {
      from: at(1),
      at: at(1),
      recovered: false,
      missed: null,
      why: 'unknown_epoch',
    });
    t.is(from, null);
  }
});

test('what is kept no longer is counted as missed, and what is kept is sent', (t) => {
  const { line, publish, meter } = lineOf({ messages: 2 });
  publish('a', 'b', 'c', 'd');
  const { resumption, from } = line.resume(at(1), 0, 1000);
  t.deepEqual(resumption, { from: at(2), at: at(4), recovered: false, missed: 1, why: 'too_old' });
  t.deepEqual(read(from), ['c', 'd']);
  t.true(line.resume(at(2), 0, 1000).resumption.recovered);
  t.is(meter.messages, 2);
  t.is(meter.let.messages, 2);
});

test('the newest part of what is more than one resume may replay is sent, to the byte', (t) => {
  const { line, publish } = lineOf();
  publish('aaaa', 'bbbb', 'cccc');
  const entry = 13 + 4;
  t.deepEqual(read(line.resume(at(0), 0, 3 * entry).from), ['aaaa', 'bbbb', 'cccc']);
  const { resumption, from } = line.resume(at(0), 0, 3 * entry - 1);
  t.deepEqual(read(from), ['bbbb', 'cccc']);
  t.deepEqual(resumption, { from: at(1), at: at(3), recovered: false, missed: 1, why: 'too_old' });
  t.deepEqual(read(line.resume('last', 0, entry).from), ['cccc']);
  t.is(line.resume('last', 0, entry - 1).from, null);
});

test('messages go when they are too old, whoever asks', (t) => {
  const { line, publish, meter } = lineOf({ age: 1000 });
  publish('a');
  line.take(textMessage('b'), 500);
  t.deepEqual(read(line.resume(at(0), 999, 1000).from), ['a', 'b']);
  t.deepEqual(line.resume(at(0), 1000, 1000).resumption.missed, 1);
  t.deepEqual(line.resume(at(0), 1500, 1000).resumption, {
    from: at(2),
    at: at(2),
    recovered: false,
    missed: 2,
    why: 'too_old',
  });
  t.true(line.resume(at(2), 9999, 1000).resumption.recovered);
  t.is(meter.memory, 0);
  t.is(meter.let.age, 2);
});

test('a message that no ring of that size may keep leaves nothing behind, and has its number', (t) => {
  const { line, publish, meter } = lineOf({ bytes: 1024 });
  publish('a', 'b', 'x'.repeat(1024 - 13));
  t.is(read(line.resume(at(0), 0, 10_000).from).length, 1);
  publish('x'.repeat(1024 - 12));
  t.is(line.resume(at(3), 0, 10_000).resumption.missed, 1);
  t.is(meter.messages, 0);
  publish('c');
  t.deepEqual(read(line.resume(at(4), 0, 1000).from), ['c']);
  t.true(line.resume(at(4), 0, 1000).resumption.recovered);
});

test('over a hole nobody is recovered, and behind it everybody is', (t) => {
  const { line, publish } = lineOf();
  publish('a');
  t.deepEqual(line.change({ type: 'hole', count: 2, why: 'link' }, 0), {
    from: at(1),
    to: at(3),
    missed: 2,
    why: 'link',
  });
  publish('b');
  const before = line.resume(at(0), 0, 1000);
  t.deepEqual(read(before.from), ['a', '-2', 'b']);
  t.deepEqual(before.resumption, { from: at(0), at: at(4), recovered: false, missed: 2, why: 'link' });
  t.is(line.resume(at(2), 0, 1000).resumption.missed, 1);
  t.true(line.resume(at(3), 0, 1000).resumption.recovered);
});

test('who stands in the middle of a hole is never told to stand before it, and what is missing is counted once', (t) => {
  const { line, publish } = lineOf();
  publish('a', 'b');
  line.change({ type: 'hole', count: 4, why: 'link' }, 0);
  publish('c', 'd');
  const { resumption, from } = line.resume(at(4), 0, 1000);
  t.deepEqual(resumption, { from: at(6), at: at(8), recovered: false, missed: 2, why: 'link' });
  t.deepEqual(read(from), ['c', 'd']);
  // Cut off before the first message.
  t.deepEqual(line.resume(resumption.from, 0, 1000).resumption, { from: at(6), at: at(8), recovered: true });
});

test('where nobody knows how many are missing, who stands before it is told that', (t) => {
  const { line, publish } = lineOf({ messages: 1 });
  publish('a');
  line.change({ type: 'hole', count: null, why: 'link' }, 0);
  t.deepEqual(line.resume(at(1), 0, 1000).resumption.missed, null);
  t.true(line.resume(at(2), 0, 1000).resumption.recovered);
  publish('b', 'c');
  // The hole itself is kept no longer.
  const { resumption, from } = line.resume(at(1), 0, 1000);
  t.deepEqual(resumption, { from: at(3), at: at(4), recovered: false, missed: null, why: 'link' });
  t.deepEqual(read(from), ['c']);
  t.is(line.resume(at(2), 0, 1000).resumption.missed, 1);
});

test('a line that was not looked after forgets what it keeps, and says so', (t) => {
  const { line, publish, meter } = lineOf();
  publish('a', 'b');
  line.tearOff('expired', 0);
  t.is(meter.memory, 0);
  for (const position of [at(0), at(2)])
    t.like(line.resume(position, 0, 1000), {
      resumption: { recovered: false, missed: null, why: 'expired' },
      from: null,
    });
  publish('c');
  t.deepEqual(read(line.resume(at(3), 0, 1000).from), ['c']);
  t.true(line.resume(at(3), 0, 1000).resumption.recovered);
});

test('positions of an epoch that is continued stay good up to its end, and those behind it are of a dead tail', (t) => {
  const { line, publish } = lineOf();
  publish('a', 'b');
  line.change({ type: 'continue', epoch: '2abcdef' }, 0);
  publish('c');
  t.deepEqual(read(line.resume(at(1), 0, 1000).from), ['b', 'c']);
  t.deepEqual(line.resume(at(1), 0, 1000).resumption, {
    from: at(1, '2abcdef'),
    at: at(3, '2abcdef'),
    recovered: true,
  });
  const dead = line.resume(at(3), 0, 1000);
  t.deepEqual(dead.resumption, {
    from: at(2, '2abcdef'),
    at: at(3, '2abcdef'),
    recovered: false,
    missed: 0,
    why: 'restarted',
  });
  t.deepEqual(read(dead.from), ['c']);
  t.deepEqual(line.number(3), { ...at(3, '2abcdef'), continues: { epoch: '1abcdef', end: 2 } });
});

test('eight epochs are remembered, and a ninth makes the oldest unknown', (t) => {
  const { line, publish } = lineOf();
  publish('a');
  for (let rank = 2; rank <= 9; rank++) line.change({ type: 'continue', epoch: `${rank}abcdef` }, 0);
  t.true(line.resume(at(0), 0, 1000).resumption.recovered);
  line.change({ type: 'continue', epoch: 'aabcdef' }, 0);
  t.is(line.resume(at(0), 0, 1000).resumption.why, 'unknown_epoch');
  t.true(line.resume(at(0, '2abcdef'), 0, 1000).resumption.recovered);
});

test('a tail that has died is kept no longer, and nobody who stands in it is recovered', (t) => {
  const { line, publish, meter } = lineOf();
  publish('a', 'b', 'c', 'd');
  t.deepEqual(line.change({ type: 'truncate', epoch: '2abcdef', last: 2 }, 0), {
    from: at(4),
    to: at(2, '2abcdef'),
    missed: null,
    why: 'restarted',
  });
  t.is(meter.messages, 2);
  publish('C');
  t.deepEqual(read(line.resume(at(0), 0, 1000).from), ['a', 'b', 'C']);
  t.like(line.resume(at(3), 0, 1000).resumption, { recovered: false, missed: 0, why: 'restarted' });
  t.true(line.resume(at(2), 0, 1000).resumption.recovered);
  t.is(line.breaks, 1);
});

test('a line that goes on elsewhere keeps nothing, and knows no position of before', (t) => {
  const { line, publish, meter } = lineOf();
  publish('a', 'b');
  line.change({ type: 'adopt', position: at(70, '3abcdef'), why: 'restarted' }, 0);
  t.is(meter.memory, 0);
  t.is(line.resume(at(2), 0, 1000).resumption.why, 'unknown_epoch');
  publish('c');
  t.deepEqual(line.position, at(71, '3abcdef'));
  t.deepEqual(read(line.resume(at(70, '3abcdef'), 0, 1000).from), ['c']);
  t.like(line.resume(at(60, '3abcdef'), 0, 1000).resumption, {
    recovered: false,
    missed: 10,
    why: 'too_old',
  });
});

test('a message that cannot be rendered is a hole from then on, and neither the last nor counted', (t) => {
  const { line, ring, publish, meter } = lineOf();
  publish('a', 'b');
  const { from } = line.resume('last', 0, 1000);
  if (from === null) throw new Error('nothing is kept');
  line.kill(from);
  t.is(meter.messages, 1);
  t.deepEqual(read(line.resume('all', 0, 1000).from), ['a', '-1']);
  t.deepEqual(read(line.resume('last', 0, 1000).from), ['a', '-1']);
  t.deepEqual(line.resume(at(0), 0, 1000).resumption, { from: at(0), at: at(1), recovered: true });
  t.is(line.resume(at(1), 0, 1000).resumption.missed, 1);
  while (ring.shrink());
  t.is(meter.messages, 0);
  t.is(meter.memory, 0);
});

test('a line without a ring knows who has missed nothing', (t) => {
  const line = new Line(KEY, null, null, '1abcdef');
  line.take(textMessage('a'), 0);
  line.settle(0);
  t.true(line.resume(at(1), 0, 1000).resumption.recovered);
  t.like(line.resume(at(0), 0, 1000).resumption, { recovered: false, missed: 1, why: 'too_old' });
  t.is(line.resume('all', 0, 1000).from, null);
});

test('who reads goes on reading, whatever is let go of meanwhile', (t) => {
  const { line, ring, publish } = lineOf({ messages: 3, bytes: 2000 });
  publish('a', 'b', 'c');
  const { from } = line.resume(at(0), 0, 1000);
  const more = Array.from({ length: 500 }, (_, index) => `m${index}`);
  publish(...more);
  while (ring.shrink());
  publish('z');
  t.deepEqual(read(from), ['a', 'b', 'c', ...more, 'z']);
});

test('messages of every kind come back as they were, and are copies', (t) => {
  const { line } = lineOf();
  const payload = Buffer.from('{"content":"x"}');
  const binary: Message = { kind: 'binary', payload: Buffer.from([0, 255, 128]) };
  for (const message of [jsonMessage(payload), binary, textMessage('')]) line.take(message, 12.5);
  payload.fill(0);
  const cursor = line.resume(at(0), 20, 1000).from?.copy();
  const entries = [0, 1, 2].map(() => {
    const entry = cursor?.peek();
    cursor?.pass();
    return entry;
  });
  const [first, second, third] = entries.map((entry) => (entry?.type === 'message' ? entry : undefined));
  t.is(first?.message.payload.toString(), '{"content":"x"}');
  t.is(first?.message.kind === 'json' && first.message.content()?.toString(), 'x');
  t.deepEqual([second?.message.kind, second?.message.payload], ['binary', Buffer.from([0, 255, 128])]);
  t.deepEqual([third?.message.kind, third?.message.payload.length, third?.time], ['text', 0, 12.5]);
});

/** What a line is to do, as a plain list: one item for each offset. */
interface Slot {
  readonly text: string | null;
  readonly missed: number | null;
  readonly bytes: number;
  readonly time: number;
  readonly size: number;
}

const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('publish' as const), size: fc.integer({ min: 0, max: 40 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('publish' as const), size: fc.integer({ min: 0, max: 700 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('hole' as const), size: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('shrink' as const), size: fc.constant(0) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('truncate' as const), size: fc.integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('wait' as const), size: fc.integer({ min: 1, max: 400 }) }),
  },
);

test('whatever happens to a line, it keeps what a plain list keeps, and never says yes where something is missing', (t) => {
  const bounds = fc.record({
    messages: fc.integer({ min: 1, max: 20 }),
    bytes: fc.integer({ min: 30, max: 600 }),
    age: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(
      bounds,
      fc.array(act, { maxLength: 120 }),
      fc.integer({ min: 1, max: 700 }),
      (of, acts, limit) => {
        const { line, ring, meter } = lineOf(of);
        let slots: Slot[] = [];
        let first = 1;
        let now = 0;
        const trim = () => {
          const kept = () => slots.slice(first - 1);
          const sum = (pick: (slot: Slot) => number) => kept().reduce((total, slot) => total + pick(slot), 0);
          while (kept().length > 0) {
            const head = kept()[0] as Slot;
            const isOver =
              sum(({ text }) => (text === null ? 0 : 1)) > of.messages ||
              sum(({ bytes }) => bytes) > of.bytes ||
              head.time <= now - of.age;
            if (!isOver) break;
            first += head.size;
          }
        };
        for (const [index, { type, size }] of acts.entries()) {
          const last = slots.length;
          if (type === 'publish') {
            const text = `${index}`.padEnd(size, '.');
            line.take(textMessage(text), now);
            line.settle(now);
            slots.push({ text, missed: null, bytes: 13 + text.length, time: now, size: 1 });
            trim();
          } else if (type === 'hole') {
            line.change({ type: 'hole', count: size, why: 'link' }, now);
            for (let i = 0; i < size; i++)
              slots.push({
                text: null,
                missed: size,
                bytes: i === 0 ? 22 : 0,
                time: now,
                size: i === 0 ? size : 1,
              });
            trim();
            ring.expire(now);
          } else if (type === 'shrink') {
            ring.shrink();
            first = ring.first;
          } else if (type === 'truncate') {
            const to = Math.max(0, last - size);
            line.change({ type: 'truncate', epoch: line.epoch, last: to }, now);
            // A hole that is cut is the shorter.
            slots = slots.slice(0, to).map((slot, i) => ({ ...slot, size: Math.min(slot.size, to - i) }));
            first = ring.first;
          } else {
            now += size;
          }
        }
        trim();
        const last = slots.length;
        assert.equal(line.last, last);
        assert.ok(ring.bytes <= of.bytes && ring.messages <= of.messages);
        for (let p = 0; p <= last; p++) {
          const { resumption, from, messages } = line.resume(at(p), now, limit);
          const heard = read(from).filter((text) => !text.startsWith('-'));
          const texts = slots.slice(p).map(({ text }) => text);
          // Asked = replayed + missed, and what is sent is the end of what was asked for; what is missing behind it is told there.
          const end = heard.length === 0 ? last : slots.findLastIndex(({ text }) => text !== null) + 1;
          assert.equal(end - p, heard.length + (resumption.missed ?? 0), 'asked');
          assert.equal(heard.length, messages);
          const kept = texts.filter((text) => text !== null);
          assert.deepEqual(heard, kept.slice(kept.length - heard.length));
          assert.equal(resumption.recovered, heard.length === end - p);
          assert.deepEqual(resumption.at, { epoch: line.epoch, offset: end });
          // Once told, nothing is told again.
          if (heard.length === 0) assert.deepEqual(resumption.from, resumption.at);
          else assert.equal(slots[resumption.from.offset]?.text, heard[0]);
        }
        const all = read(line.resume('all', now, 1_000_000).from);
        const whole = slots.slice(first - 1).map(({ text }) => text);
        assert.deepEqual(
          all.filter((text) => !text.startsWith('-')),
          whole.filter((text) => text !== null),
        );
        assert.equal(ring.messages, whole.filter((text) => text !== null).length);
        assert.equal(meter.messages, ring.messages);
        assert.equal(meter.memory, ring.allocated);
        while (ring.shrink());
        assert.equal(meter.memory, 0);
      },
    ),
    { numRuns: 400 },
  );
  t.pass();
});
