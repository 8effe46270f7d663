import test from 'ava';
import { wspubsubFormat } from '../../../src/door/wspubsub/format.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';

function rendered(message: Message): string {
  const part = wspubsubFormat.render(message, 'd/t', null);
  return typeof part === 'string' ? part : `${part.opcode} ${part.payload.toString('latin1')}`;
}

const json = (frame: string) => jsonMessage(Buffer.from(frame));

test('text stays text and binary stays binary, empty ones included', (t) => {
  t.is(rendered({ kind: 'text', payload: Buffer.from('a') }), '1 a');
  t.is(rendered({ kind: 'binary', payload: Buffer.from([0xff]) }), '2 \xff');
  t.is(rendered({ kind: 'text', payload: Buffer.alloc(0) }), '1 ');
  t.is(rendered({ kind: 'binary', payload: Buffer.alloc(0) }), '2 ');
});

test('a payload is not copied before it is framed', (t) => {
  const payload = Buffer.from('a');
  const part = wspubsubFormat.render({ kind: 'binary', payload }, 'd/t', null);
  t.is(typeof part === 'string' ? part : part.payload, payload);
});

test('a JSON content is text', (t) => {
  t.is(rendered(json('{"content":"a"}')), '1 a');
  t.is(rendered(json('{"content":{"a": 1}}')), '1 {"a": 1}');
  t.is(rendered(json('{"content":null}')), '1 null');
});

test('a JSON message with no content, or an empty one, is nothing', (t) => {
  t.is(rendered(json('{}')), 'nothing');
  t.is(rendered(json('{"content":""}')), 'nothing');
});
