import test from 'ava';
import { eventFramesFormat } from '../../../src/door/pinghub/event-frames.ts';
import type { Position } from '../../../src/topic/position.ts';
import { texts } from '../parse-frames.ts';

const at: Position = { epoch: '1abcdef', offset: 7 };

function rendered(text: string | Buffer, position: Position | null) {
  const kind = typeof text === 'string' ? 'text' : 'binary';
  const part = eventFramesFormat.render({ kind, payload: Buffer.from(text) }, 'p', position);
  return typeof part === 'string' ? part : texts(eventFramesFormat.assemble([part]));
}

test('a message is a frame of JSON, with its position where it has one', (t) => {
  t.deepEqual(rendered('a "b"\r\né', at), ['{"id":"1abcdef:7","data":"a \\"b\\"\\r\\né"}']);
  t.deepEqual(rendered('x', null), ['{"data":"x"}']);
});

test('a place and a gap are frames without a message', (t) => {
  const { assemble, place, gap } = eventFramesFormat;
  t.deepEqual(
    texts(assemble([place(at), gap('p', { missed: 3, to: at }), gap('p', { missed: null, to: null })])),
    ['{"id":"1abcdef:7"}', '{"id":"1abcdef:7","event":"missed","data":3}', '{"event":"missed","data":null}'],
  );
});

test('it carries what the other WebSockets of the door do', (t) => {
  t.is(rendered('', at), 'nothing');
  t.is(rendered(Buffer.from([0xff]), at), 'undeliverable');
  t.deepEqual(rendered(Buffer.from('hi'), at), ['{"id":"1abcdef:7","data":"hi"}']);
});
