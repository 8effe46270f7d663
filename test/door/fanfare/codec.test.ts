import test from 'ava';
import fc from 'fast-check';
import {
  gapJson,
  hello,
  parseClientFrame,
  publishError,
  publishOk,
  subscribeError,
} from '../../../src/door/fanfare/codec.ts';
import { NOWHERE } from '../../../src/topic/position.ts';
import { texts } from '../parse-frames.ts';

const parse = (frame: string) => parseClientFrame(Buffer.from(frame));
const only = (bytes: Buffer) => JSON.parse(String(texts(bytes)[0])) as unknown;

test('each frame of a client is read', (t) => {
  t.deepEqual(parse('{"type":"authorize","authorization":""}'), { type: 'authorize', authorization: '' });
  t.deepEqual(parse('{"type":"subscribe","channel":"c","presence":{}}'), {
    type: 'subscribe',
    channel: 'c',
    since: 'now',
  });
  t.deepEqual(parse('{"type":"subscribe","channel":"c","since":"1abcdef:3"}'), {
    type: 'subscribe',
    channel: 'c',
    since: { epoch: '1abcdef', offset: 3 },
  });
  t.deepEqual(parse('{"type":"unsubscribe","channel":"c"}'), { type: 'unsubscribe', channel: 'c' });
  t.deepEqual(parse('{"type":"publish","channel":"c","content":{"a":1},"id":"1","key":"k"}'), {
    type: 'publish',
    channel: 'c',
    receipt: '"1"',
    key: 'k',
  });
  t.deepEqual(parse('{"type":"ping"}'), { type: 'ping' });
  t.deepEqual(parse('{"type":"subscribe","pattern":"a.*"}'), { type: 'subscribe-pattern', pattern: 'a.*' });
});

test('what cannot be read as a position is one that nobody has given', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.jsonValue()), (since) => {
      const known = since === null || since === 'now' || since === 'all' || since === 'last';
      fc.pre(!known && !(typeof since === 'string' && /^[0-9a-z]{7,16}:\d+$/.test(since)));
      t.deepEqual(parse(JSON.stringify({ type: 'subscribe', channel: 'c', since })), {
        type: 'subscribe',
        channel: 'c',
        since: NOWHERE,
      });
    }),
  );
});

test('an id comes back as the value that it was', (t) => {
  const id = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary', maxLength: 60 }));
  fc.assert(
    fc.property(id, fc.string({ unit: 'binary' }), (value, channel) => {
      const frame = parse(JSON.stringify({ type: 'publish', channel, id: value }));
      if (frame.type === 'bad-publish') {
        t.true(JSON.stringify(value).length > 64);
        return;
      }
      const receipt = frame.type === 'publish' ? (frame.receipt ?? '') : '';
      t.deepEqual(only(publishOk(receipt, { epoch: '1abcdef', offset: 1 })), {
        type: 'publish_ok',
        id: value,
        at: '1abcdef:1',
      });
      t.deepEqual(only(publishError(receipt, channel, 'owned')), {
        type: 'publish_error',
        id: value,
        channel,
        why: 'owned',
      });
      t.deepEqual(only(subscribeError({ channel }, 'too_many')), {
        type: 'subscribe_error',
        channel,
        why: 'too_many',
      });
    }),
  );
});

test('no bytes make it throw, and deep nesting is no danger', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      t.notThrows(() => parseClientFrame(Buffer.from(bytes)));
    }),
  );
  const deep = '['.repeat(30_000);
  t.is(parse(`{"type":"publish","channel":"c","content":${deep}${']'.repeat(30_000)}}`).type, 'publish');
  t.is(parse(`{"type":"publish","channel":"c","content":${deep}`).type, 'unknown');
  t.is(parse('{"__proto__":{"type":"ping"}}').type, 'unknown');
  t.is(parse('{"type":"constructor"}').type, 'unknown');
});

test('the greeting and a gap say what there is to say', (t) => {
  const greeting = { relay: 'r"1', ping: 0, limits: { message: 1, topicLength: 0, topics: 0 } };
  t.deepEqual(only(hello(greeting)), {
    type: 'hello',
    protocol: 'fanfare.1',
    relay: 'r"1',
    ping: 0,
    limits: { message: 1, topic_length: 0, topics: 0 },
  });
  const gap = { from: { epoch: '1abcdef', offset: 1 }, to: null, missed: 3, why: 'too_old' } as const;
  t.is(
    gapJson('c', gap),
    '{"type":"gap","channel":"c","from":"1abcdef:1","to":null,"missed":3,"why":"too_old"}',
  );
});
