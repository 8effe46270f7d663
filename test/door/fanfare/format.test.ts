import test from 'ava';
import fc from 'fast-check';
import { fanfareFormat } from '../../../src/door/fanfare/format.ts';
import { pusuFormat } from '../../../src/door/pusu/format.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';
import type { Position } from '../../../src/topic/position.ts';
import { texts } from '../parse-frames.ts';

const at: Position = { epoch: '1abcdef', offset: 12 };

function delivered(message: Message, position: Position | null): string {
  const part = fanfareFormat.render(message, 'c', position);
  return typeof part === 'string' ? part : String(texts(fanfareFormat.assemble([part]))[0]);
}

const json = (frame: string) => jsonMessage(Buffer.from(frame));

test('the position stands behind all that the sender has said', (t) => {
  t.is(
    delivered(json('{"content":12345678901234567890,"x":[ ],"channel":"c","type":"publish"}'), at),
    '{"content":12345678901234567890,"x":[ ],"channel":"c","type":"publish","at":"1abcdef:12"}',
  );
  t.is(
    delivered(json(' {"type":"publish","channel":"c","content":"}" } \n'), at),
    ' {"type":"publish","channel":"c","content":"}" ,"at":"1abcdef:12"} \n',
  );
});

test('what comes by other doors is a publish frame with its position', (t) => {
  const frame = '{"type":"publish","channel":"c","content":"é"';
  const payload = Buffer.from('é');
  for (const kind of ['text', 'binary'] as const) {
    t.is(delivered({ kind, payload }, at), `${frame},"at":"1abcdef:12"}`);
    t.is(delivered({ kind, payload }, null), `${frame}}`);
  }
  t.is(delivered({ kind: 'binary', payload: Buffer.from([0xff]) }, at), 'undeliverable');
});

test('without positions a frame is delivered as it was sent, and is not copied', (t) => {
  const payload = Buffer.from('{"type":"publish","channel":"c","content":"attack"}');
  const part = fanfareFormat.render(jsonMessage(payload), 'c', null);
  t.is(typeof part === 'string' ? null : part.payload, payload);
});

test('a position of the sender’s own is never believed, however it is spelt', (t) => {
  const spellings = ['at', '\\u0061t', 'a\\u0074', '\\u0061\\u0074'];
  for (const key of spellings) {
    const frame = `{"${key}":"1abcdef:99","type":"publish","channel":"c","content":1}`;
    const heard = (position: Position | null) =>
      (JSON.parse(delivered(json(frame), position)) as { at?: unknown }).at ?? null;
    t.is((JSON.parse(frame) as { at: string }).at, '1abcdef:99');
    t.is(heard(at), '1abcdef:12', key);
    t.is(heard(null), null, key);
  }
});

test('whatever JSON object is sent, what is heard is the same and its position', (t) => {
  const position = fc.constantFrom<Position | null>(at, null);
  const space = fc.constantFrom('', ' ', '\n\t');
  const frame = fc.dictionary(fc.oneof(fc.constantFrom('at', 'content'), fc.string()), fc.jsonValue());
  fc.assert(
    fc.property(frame, space, position, (fields, blank, where) => {
      const sent = `${blank}${JSON.stringify({ type: 'publish', channel: 'c', ...fields })}${blank}`;
      const { at: told, ...heard } = JSON.parse(delivered(json(sent), where)) as Record<string, unknown>;
      const { at: _own, ...said } = JSON.parse(sent) as Record<string, unknown>;
      t.deepEqual(heard, said);
      t.is(told ?? null, where === null ? null : '1abcdef:12');
    }),
  );
});

test('a gap is a frame of its own', (t) => {
  const gap = { from: null, to: at, missed: null, why: 'link' } as const;
  const part = fanfareFormat.gap?.('c', gap);
  t.is(
    part?.payload.toString(),
    '{"type":"gap","channel":"c","from":null,"to":"1abcdef:12","missed":null,"why":"link"}',
  );
  t.is(pusuFormat.gap, undefined);
});
