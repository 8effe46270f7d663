import test from 'ava';
import { answer, endsAt, fault, labelOf, QUIET } from '../../src/authenticator/outage.ts';

test('an outage counts its faults and remembers the first and the last one', (t) => {
  const outage = fault(fault(null, 10), 30);
  t.deepEqual(outage, { since: 10, faults: 2, lastFault: 30, answeredAt: null });
});

test('an outage ends a while after its last fault, once there has been an answer', (t) => {
  const outage = fault(null, 10);
  t.is(endsAt(null), null);
  t.is(endsAt(outage), null);
  t.is(endsAt(answer(outage, 20)), 10 + QUIET);
  t.is(endsAt(fault(answer(outage, 20), 500)), null);
  t.is(endsAt(answer(fault(answer(outage, 20), 500), 600)), 500 + QUIET);
  t.is(answer(answer(outage, 20), 30)?.answeredAt, 20, 'the first answer is the one that ends it');
});

test('an answer without an outage is nothing special', (t) => {
  t.is(answer(null, 0), null);
});

test('an error is known by its code or its class, and never by its message', (t) => {
  const coded = (code: unknown) => Object.assign(new TypeError('open sesame'), { code });
  t.is(labelOf(new TypeError('open sesame')), 'TypeError');
  t.is(labelOf(coded('ECONNREFUSED')), 'ECONNREFUSED');
  t.is(labelOf(coded('57P01')), '57P01');
  t.is(labelOf(coded('open sesame')), 'TypeError');
  t.is(labelOf(coded(7)), 'TypeError');
  for (const odd of ['open sesame', null, undefined, { code: 'X' }]) t.is(labelOf(odd), null);
});

test('an error whose properties throw has no name', (t) => {
  const hostile = Object.defineProperty(new Error('x'), 'code', {
    get() {
      throw new Error('y');
    },
  });
  t.is(labelOf(hostile), null);
});
