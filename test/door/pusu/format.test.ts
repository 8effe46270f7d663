import test from 'ava';
import { pusuFormat } from '../../../src/door/pusu/format.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';
import { texts } from '../parse-frames.ts';

function delivered(message: Message, topic = 'c'): (string | number)[] | string {
  const part = pusuFormat.render(message, topic, null);
  return typeof part === 'string' ? part : texts(pusuFormat.assemble([part]));
}

test('a PuSu frame is delivered as it was sent', (t) => {
  const frame = '{"content":12345678901234567890,"x":[ ],"channel":"c","type":"publish"}';
  t.deepEqual(delivered(jsonMessage(Buffer.from(frame))), [frame]);
});

test('a PuSu frame is not copied before it is framed', (t) => {
  const payload = Buffer.from('{}');
  const part = pusuFormat.render(jsonMessage(payload), 'c', null);
  t.is(typeof part === 'string' ? part : part.payload, payload);
});

test('a text becomes the content of a publish frame', (t) => {
  t.deepEqual(delivered({ kind: 'text', payload: Buffer.from('a"é') }, 'x"y'), [
    String.raw`{"type":"publish","channel":"x\"y","content":"a\"é"}`,
  ]);
});

test('an empty text is a content too', (t) => {
  t.deepEqual(delivered({ kind: 'text', payload: Buffer.alloc(0) }), [
    '{"type":"publish","channel":"c","content":""}',
  ]);
});

test('binary that is UTF-8 is delivered as text', (t) => {
  t.deepEqual(delivered({ kind: 'binary', payload: Buffer.from('é') }), [
    '{"type":"publish","channel":"c","content":"é"}',
  ]);
});

test('binary that is not UTF-8 is undeliverable', (t) => {
  t.is(delivered({ kind: 'binary', payload: Buffer.from([0xff]) }), 'undeliverable');
});
