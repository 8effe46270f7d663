import test from 'ava';
import fc from 'fast-check';
import { characters, hashKey, isTopicName, isWithin } from '../../src/topic/topic-name.ts';

test('a topic name is not empty', (t) => {
  t.false(isTopicName('', 256));
  t.false(isTopicName('', 0));
  t.true(isTopicName('a', 256));
});

test('a topic name has no lone surrogate', (t) => {
  for (const name of ['\ud800', 'a\udc00', '\udc00\ud800', '\ud83d']) t.false(isTopicName(name, 256));
  t.true(isTopicName('\ud83d\ude00', 256));
});

test('what is unusual is still a name', (t) => {
  for (const name of ['__proto__', 'constructor', ' ', '\0', '/', '..', '*']) t.true(isTopicName(name, 256));
});

test('a name of the limit fits, and one character more does not', (t) => {
  t.true(isTopicName('a'.repeat(256), 256));
  t.false(isTopicName('a'.repeat(257), 256));
});

test('the limit counts characters, not UTF-16 units', (t) => {
  t.true(isTopicName('😀'.repeat(256), 256));
  t.false(isTopicName('😀'.repeat(257), 256));
  t.false(isTopicName(`${'😀'.repeat(256)}a`, 256));
  t.true(isTopicName(`${'😀'.repeat(255)}a`, 256));
});

test('a limit of 0 is none', (t) => {
  t.true(isTopicName('a'.repeat(100_000), 0));
  t.true(isWithin('', 0));
});

test('isWithin agrees with counting', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
      (text, limit) => {
        t.is(isWithin(text, limit), Array.from(text).length <= limit);
      },
    ),
  );
});

test('characters counts code points', (t) => {
  t.is(characters(''), 0);
  t.is(characters('aé😀'), 3);
  t.is(characters('\ud800a'), 2);
});

test('a hash key is a 32-bit number that spreads texts over the partitions', (t) => {
  t.is(hashKey(''), 0x811c9dc5);
  t.is(hashKey('a'), 0xe40c292c);
  t.is(hashKey('foobar'), 0xbf9cf968);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) {
    const at = hashKey(`topic-${i}`) % 4;
    counts[at] = (counts[at] as number) + 1;
  }
  t.true(
    counts.every((count) => count > 800 && count < 1200),
    String(counts),
  );
});
