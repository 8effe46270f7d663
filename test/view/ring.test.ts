import test from 'ava';
import { Certificates } from '../../src/view/certificates.ts';
import { Ring } from '../../src/view/ring.ts';

test('a ring keeps as many as its limit, and one more takes the place of the oldest', (t) => {
  const ring = new Ring<number>(3);
  t.deepEqual(ring.last(5), []);
  for (const item of [1, 2, 3]) ring.push(item);
  t.deepEqual(ring.last(5), [1, 2, 3]);
  ring.push(4);
  t.deepEqual(ring.last(5), [2, 3, 4]);
  t.deepEqual(ring.last(2), [3, 4]);
  t.deepEqual([...ring.newest()], [4, 3, 2]);
  for (const item of [5, 6, 7, 8]) ring.push(item);
  t.deepEqual(ring.last(3), [6, 7, 8]);
  t.is(ring.size, 3);
});

test('a certificate is found by the number of its pid until too many have followed', (t) => {
  const certificates = new Certificates(2, () => 7);
  const closed = { door: 'pusu', code: 1000, reason: 'x', address: 'a', in: 0, out: 0, age: 0 };
  const details = {
    authorised: false,
    topics: [],
    topicCount: 0,
    owned: null,
    pendingHighWater: 0,
    roundTrip: null,
    event: '',
  };
  for (const conn of [1, 2]) certificates.add({ ...closed, conn }, details);
  t.like(certificates.find(1), { conn: 1, at: 7 });
  certificates.add({ ...closed, conn: 3 }, details);
  t.is(certificates.find(1), undefined);
  t.like(certificates.find(2), { conn: 2 });
});
