import test from 'ava';
import { Keys } from '../../src/topic/keys.ts';

const topic = { realm: 'main', name: 't' };
const at = { epoch: '1abcdef', offset: 7 };

test('a key is remembered for five minutes, for its topic alone', (t) => {
  const keys = new Keys();
  t.is(keys.find(topic, 'k', 0), undefined);
  keys.remember(topic, 'k', at, 0);
  keys.remember(topic, 'l', null, 0);
  t.like(keys.find(topic, 'k', 299_999), { at });
  t.like(keys.find(topic, 'l', 299_999), { at: null });
  t.is(keys.find(topic, 'k', 300_000), undefined);
  t.is(keys.find({ ...topic, name: 'u' }, 'k', 0), undefined);
  t.is(keys.find({ ...topic, realm: 'other' }, 'k', 0), undefined);
});

test('ten thousand keys are remembered, and the oldest goes for one more', (t) => {
  const keys = new Keys();
  for (let i = 0; i < 10_000; i++) keys.remember(topic, `${i}`, at, 0);
  t.not(keys.find(topic, '0', 0), undefined);
  keys.remember(topic, 'more', at, 0);
  t.is(keys.size, 10_000);
  t.is(keys.find(topic, '0', 0), undefined);
  t.not(keys.find(topic, '1', 0), undefined);
});

test('what is too old is not held on to', (t) => {
  const keys = new Keys();
  for (let i = 0; i < 100; i++) keys.remember(topic, `${i}`, at, 0);
  keys.remember(topic, 'new', at, 300_000);
  t.is(keys.size, 1);
});

test('the keys of one topic are told with the positions of their messages', (t) => {
  const keys = new Keys();
  keys.remember(topic, 'k', at, 0);
  keys.remember(topic, 'without a position', null, 0);
  keys.remember({ ...topic, name: `${topic.name}2` }, 'l', at, 0);
  t.deepEqual([...keys.of(topic)], [['k', at]]);
});
