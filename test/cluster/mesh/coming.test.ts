import test from 'ava';
import { Coming } from '../../../src/cluster/mesh/coming.ts';
import { underway } from '../../support/underway.ts';

test('what is for a relay that comes waits in order until the relay is linked, and no longer', (t) => {
  const coming = new Coming();
  const [a, b, c] = underway(3).map((message) => ({ ...message, hops: 0 }));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three messages');
  t.false(coming.hold('far', a));
  coming.begin('far');
  coming.begin('other');
  t.true(coming.hold('far', a) && coming.hold('other', b) && coming.hold('far', c));
  coming.begin('far');
  t.deepEqual([...coming.nodes], ['far', 'other']);
  t.deepEqual(coming.end('far'), [a, c]);
  t.deepEqual(coming.end('far'), []);
  t.is(coming.size, 1);
  t.deepEqual(coming.clear(), [b]);
  t.is(coming.size, 0);
});

test('ten thousand messages wait for one relay, and not one more', (t) => {
  const coming = new Coming();
  coming.begin('far');
  const [one] = underway(1).map((message) => ({ ...message, hops: 0 }));
  if (one === undefined) throw new Error('one message');
  for (let i = 0; i < 10_000; i++) t.true(coming.hold('far', one));
  t.false(coming.hold('far', one));
});
