import { headers } from '@nats-io/transport-node';
import test from 'ava';
import { arrival, headersOf, senderOf } from '../../../src/cluster/nats/intake.ts';
import { encodeMessages } from '../../../src/cluster/nats/outlet.ts';

const sender = { node: 'a', incarnation: 'a1' };
const data = encodeMessages([
  { kind: 'text', payload: Buffer.from('x') },
  { kind: 'binary', payload: Buffer.from([1]) },
]);

test('what relays send says who has sent it', (t) => {
  t.deepEqual(senderOf({ headers: headersOf(sender) }), sender);
});

test('headers of no relay, or of another version, name no sender', (t) => {
  t.is(senderOf({}), null);
  for (const text of ['', '2 a1 a', '1 a1', '1 a1 a more', '1  a']) {
    const one = headers();
    one.set('Fanfare-Relay', text);
    t.is(senderOf({ headers: one }), null, text);
  }
});

test('messages of another relay arrive with their number and bytes; those of this start are its own', (t) => {
  const message = { headers: headersOf(sender), data };
  const arrived = arrival(message, 'm1');
  t.like(arrived, { node: 'a', bytes: data.length });
  t.is(typeof arrived === 'object' ? arrived.messages.length : 0, 2);
  t.is(arrival(message, 'a1'), 'own');
});

test('what no relay has sent, or is no message of a relay, is foreign', (t) => {
  t.is(arrival({ data }, 'm1'), 'foreign');
  for (const bytes of [data.subarray(1), new Uint8Array()])
    t.is(arrival({ headers: headersOf(sender), data: bytes }, 'm1'), 'foreign');
});
