import test from 'ava';
import { Coming } from '../../../src/cluster/mesh/coming.ts';
import { underway } from '../../support/underway.ts';

test('what is for a relay that comes waits in order until the relay is linked, and no longer', (t) => {
  const coming = new Coming();
  const [a, b, c] = underway(3).map((message) => ({ ...message, hops: 0 }));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three messages');
  t.false(coming.hold('far', a));
  coming.begin('far', 'dialled');
  coming.begin('other', 'lost');
  t.true(coming.hold('far', a) && coming.hold('other', b) && coming.hold('far', c));
  coming.begin('far', 'lost');
  t.deepEqual([...coming.nodes], ['far', 'other']);
  t.deepEqual(coming.end('other', 'dialled'), [], 'that is not why it is waited for');
  t.deepEqual(coming.end('far', 'dialled'), [], 'it is waited for still');
  t.deepEqual(coming.end('far', 'lost'), [a, c]);
  t.deepEqual(coming.linked('far'), []);
  t.is(coming.size, 1);
  t.deepEqual(coming.clear(), [b]);
  t.is(coming.size, 0);
});

test('16 MiB of messages wait for one relay, and not one more; for another as many', (t) => {
  const coming = new Coming();
  for (const node of ['far', 'other']) coming.begin(node, 'dialled');
  const [one] = underway(1).map((message) => ({ ...message, hops: 0 }));
  if (one === undefined) throw new Error('one message');
  const half = {
    ...one,
    forwarded: { message: { kind: 'text', payload: Buffer.alloc(8 * 1024 ** 2 - 64) }, key: '' },
  } as const;
  t.true(coming.holdFirst('far', half) && coming.hold('far', half));
  t.false(coming.hold('far', one) || coming.holdFirst('far', one));
  t.true(coming.hold('other', one));
});
