import test from 'ava';
import { Histories } from '../../../src/topic/history/histories.ts';
import type { Line } from '../../../src/topic/history/line.ts';
import type { Bounds } from '../../../src/topic/history/ring.ts';
import { keeping, textMessage } from '../topics-world.ts';

const REALM = 'main';

function world(total: number, bounds: Partial<Bounds> = {}) {
  const histories = new Histories(keeping({ messages: 1000, ...bounds }, { total }));
  const topic = {};
  const open = (name: string): Line => {
    const line = histories.open({ realm: REALM, name });
    if (line === null) throw new Error(`${name} is not kept`);
    line.serve(topic);
    return line;
  };
  const publish = (line: Line, size: number, count = 1) => {
    for (let i = 0; i < count; i++) line.take(textMessage('x'.repeat(size)), 0);
    line.settle(0);
  };
  const rest = (...lines: Line[]) => {
    for (const line of lines) line.rest(topic);
  };
  return { histories, open, publish, rest };
}

test('a topic finds its line again, and one of which nothing is kept has none', (t) => {
  const { histories, open, publish, rest } = world(1024 ** 2);
  const line = open('kept');
  publish(line, 10);
  rest(line);
  t.is(open('kept'), line);
  t.is(histories.open({ realm: 'another', name: 'kept' })?.last, 0);
  t.is(histories.open({ realm: REALM, name: 'other' }), null);
  t.true(histories.keeps('kept'));
  t.false(histories.keeps('other'));
  t.is(histories.lines, 2);
  t.false(new Histories().keeps('kept'));
});

test('the line of a topic that is live again is not let rest by the topic before', (t) => {
  const { open } = world(1024 ** 2);
  const line = open('kept');
  const next = {};
  line.serve(next);
  line.rest({});
  t.true(line.isLive);
  line.rest(next);
  t.false(line.isLive);
});

test('past the total the topics that were published to longest ago lose their oldest messages first', (t) => {
  const { histories, open, publish, rest } = world(64 * 1024);
  const [old, young] = [open('kept.old'), open('kept.young')];
  publish(old, 1000, 20);
  publish(young, 1000, 20);
  t.is(histories.messages, 40);
  publish(young, 1000, 25);
  t.true(histories.memory <= 64 * 1024);
  t.is(young.ring?.messages, 45);
  const left = old.ring?.messages ?? 0;
  t.true(left > 0 && left < 20);
  t.is(histories.evicted.total, 20 - left);
  t.like(old.resume({ epoch: old.epoch, offset: 19 }, 0, 1024), { resumption: { recovered: true } });
  rest(old, young);
  t.true(histories.memory <= 64 * 1024);
});

test('a single topic gives up its own oldest messages where there is nothing else', (t) => {
  const { histories, open, publish } = world(64 * 1024);
  const line = open('kept');
  publish(line, 1000, 200);
  t.true(histories.memory <= 64 * 1024);
  t.true((line.ring?.messages ?? 0) > 40);
});

test('what is known of a topic that is not live goes last, of the one that was used longest ago; live ones stay', (t) => {
  const { histories, open, publish, rest } = world(64 * 1024);
  const live = open('kept.live');
  publish(live, 10);
  const lines = Array.from({ length: 300 }, (_, index) => open(`kept.${index}`));
  rest(...lines);
  t.true(histories.memory <= 64 * 1024);
  t.true(histories.lines < 301);
  t.is(histories.find(REALM, 'kept.0'), undefined);
  t.is(histories.find(REALM, 'kept.299'), lines[299]);
  t.is(histories.find(REALM, 'kept.live'), live);
  t.is(live.ring?.messages, 0);
  // It is known yet that nothing was missed.
  t.true(live.resume(live.position, 0, 0).resumption.recovered);
  publish(live, 10);
  t.is(live.ring?.messages, 1);
});

test('however topics come and go, the books of memory and messages are right', (t) => {
  const { histories, open, publish, rest } = world(96 * 1024);
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const live = new Set<Line>();
  for (let i = 0; i < 5000; i++) {
    const line = open(`kept.${random(200)}`);
    live.add(line);
    if (random(3) === 0) publish(line, random(3000));
    if (random(2) === 0) {
      rest(line);
      live.delete(line);
    }
    if (i % 500 === 0) histories.sweep(i);
  }
  t.true(histories.memory <= 96 * 1024);
  const all = [...histories.all()];
  t.is(all.length, histories.lines);
  t.is(
    all.reduce((sum, { ring }) => sum + (ring?.messages ?? 0), 0),
    histories.messages,
  );
  for (const line of live) t.is(histories.find(line.key.realm, line.key.name), line);
  rest(...live);
  const memory = [...histories.all()].reduce(
    (sum, { ring, key: { realm, name } }) => sum + (ring?.allocated ?? 0) + 256 + realm.length + name.length,
    0,
  );
  t.is(histories.memory, memory);
});

test('at rest a kept message costs at most 24 bytes beside its own, with what its segments leave free', (t) => {
  for (const [size, count] of [
    [128, 2000],
    [128, 10_000],
    [40, 10_000],
    [700, 10_000],
  ] as const) {
    const { histories, open, publish } = world(1024 ** 3, { messages: count, bytes: 1024 ** 3 });
    const line = open('kept');
    // Twice as many as are kept: segments are as large as they stay, and the oldest is let go of in part.
    for (let i = 0; i < 20; i++) publish(line, size, count / 10);
    t.is(histories.messages, count);
    const overhead = histories.memory / count - size;
    t.true(overhead <= 24, `${overhead.toFixed(1)} bytes for each of ${count} messages of ${size}`);
  }
});

test('a topic that keeps few messages takes little: its segments are as small', (t) => {
  const { histories, open, publish } = world(1024 ** 3, { messages: 100 });
  publish(open('kept'), 128, 1000);
  t.true(histories.memory < 100 * 128 * 1.5, `${histories.memory} bytes`);
});

test('what is too old goes from all lines in turn, however many they are', (t) => {
  const { histories, open, publish } = world(1024 ** 3, { age: 1000 });
  for (let i = 0; i < 30_000; i++) publish(open(`kept.${i}`), 1);
  histories.sweep(999);
  histories.sweep(999);
  t.is(histories.messages, 30_000);
  histories.sweep(1000);
  t.is(histories.messages, 10_000);
  histories.sweep(1000);
  t.is(histories.messages, 0);
  t.is(histories.evicted.age, 30_000);
});

test('topics that are not live are told by one word that nobody knows what they have missed', (t) => {
  const { histories, open, publish, rest } = world(1024 ** 2);
  const [live, resting, other] = [open('kept.live'), open('kept.resting'), open('kept.other')];
  for (const line of [live, resting, other]) publish(line, 10);
  rest(resting, other);
  histories.tearOff((line) => line !== other, 'link', 0);
  const recovered = (line: Line) =>
    line.resume({ epoch: line.epoch, offset: 1 }, 0, 1024).resumption.recovered;
  t.deepEqual([live, resting, other].map(recovered), [true, false, true]);
  t.is(resting.ring?.messages, 0);
});
