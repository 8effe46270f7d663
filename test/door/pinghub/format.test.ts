import test from 'ava';
import { pinghubFormat } from '../../../src/door/pinghub/format.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';
import { texts } from '../parse-frames.ts';

function delivered(message: Message): (string | number)[] | string {
  const part = pinghubFormat.render(message, 'p', null);
  return typeof part === 'string' ? part : texts(pinghubFormat.assemble([part]));
}

const json = (frame: string) => jsonMessage(Buffer.from(frame));

test('a text is a text frame, not copied before', (t) => {
  const payload = Buffer.from('é');
  t.deepEqual(delivered({ kind: 'text', payload }), ['é']);
  const part = pinghubFormat.render({ kind: 'text', payload }, 'p', null);
  t.is(typeof part === 'string' ? part : part.payload, payload);
});

test('binary that is UTF-8 is text, and other binary undeliverable', (t) => {
  t.deepEqual(delivered({ kind: 'binary', payload: Buffer.from('é') }), ['é']);
  t.is(delivered({ kind: 'binary', payload: Buffer.from([0xc3]) }), 'undeliverable');
});

test('an empty message is nothing', (t) => {
  t.is(delivered({ kind: 'text', payload: Buffer.alloc(0) }), 'nothing');
  t.is(delivered({ kind: 'binary', payload: Buffer.alloc(0) }), 'nothing');
});

test('a JSON content is its text, and an absent or empty one nothing', (t) => {
  t.deepEqual(delivered(json(String.raw`{"content":"\u00e9"}`)), ['é']);
  t.deepEqual(delivered(json('{"content":12345678901234567890}')), ['12345678901234567890']);
  t.is(delivered(json('{"content":""}')), 'nothing');
  t.is(delivered(json('{"type":"publish"}')), 'nothing');
});
