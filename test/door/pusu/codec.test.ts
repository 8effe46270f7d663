import test from 'ava';
import fc from 'fast-check';
import { parseClientFrame, subscribeOk } from '../../../src/door/pusu/codec.ts';
import { texts } from '../parse-frames.ts';

const parse = (frame: string) => parseClientFrame(Buffer.from(frame));

test('each frame of a client is read', (t) => {
  t.deepEqual(parse('{"type":"authorize","authorization":"x"}'), { type: 'authorize', authorization: 'x' });
  t.deepEqual(parse('{"type":"authorize","authorization":""}'), { type: 'authorize', authorization: '' });
  for (const type of ['subscribe', 'unsubscribe', 'publish'] as const) {
    t.deepEqual(parse(`{"type":"${type}","channel":"c"}`), { type, channel: 'c' });
  }
  t.deepEqual(parse('{"type":"publish","channel":"c","content":{"a":1},"more":true}'), {
    type: 'publish',
    channel: 'c',
  });
});

test('anything else is unknown', (t) => {
  const frames = [
    ...['', ' ', 'x', 'null', '1', '"publish"', '[]', '{}', '[{"type":"publish","channel":"c"}]'],
    ...['{"type":"hello"}', '{"type":5}', '{"type":null}', '{"type":"Publish","channel":"c"}'],
    ...[
      '{"type":"constructor"}',
      '{"type":"__proto__","channel":"c"}',
      '{"__proto__":{"type":"publish","channel":"c"}}',
    ],
    ...[
      '{"type":"authorize"}',
      '{"type":"authorize","authorization":5}',
      '{"type":"authorize","authorization":null}',
    ],
    ...[
      '{"type":"publish","channel":"c"',
      '{"type":"publish","channel":"c"} x',
      '\ufeff{"type":"publish","channel":"c"}',
    ],
  ];
  for (const frame of frames) t.is(parse(frame).type, 'unknown', frame);
});

test('a channel is a non-empty, well-formed string', (t) => {
  for (const type of ['subscribe', 'unsubscribe', 'publish'] as const) {
    for (const channel of ['""', '5', 'null', '["c"]', String.raw`"\ud800"`, String.raw`"\udc00\ud800"`]) {
      t.is(parse(`{"type":"${type}","channel":${channel}}`).type, 'unknown', channel);
    }
    t.is(parse(`{"type":"${type}"}`).type, 'unknown');
    t.is(parse(String.raw`{"type":"${type}","channel":"\ud83d\ude00"}`).type, type);
  }
});

test('deep nesting is no danger', (t) => {
  const deep = '['.repeat(30_000);
  t.is(parse(`{"type":"publish","channel":"c","content":${deep}${']'.repeat(30_000)}}`).type, 'publish');
  t.is(parse(`{"type":"publish","channel":"c","content":${deep}`).type, 'unknown');
});

test('no bytes make it throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      t.notThrows(() => parseClientFrame(Buffer.from(bytes)));
    }),
  );
});

test('subscribe_ok carries the channel', (t) => {
  t.deepEqual(texts(subscribeOk('a"b')), [String.raw`{"type":"subscribe_ok","channel":"a\"b"}`]);
});
