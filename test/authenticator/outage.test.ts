import test from 'ava';
import { Outage, QUIET } from '../../src/authenticator/outage.ts';

const NEVER = Number.POSITIVE_INFINITY;

test('an outage begins with its first fault, and counts the others', (t) => {
  const outage = new Outage();
  t.true(outage.fault(10));
  t.false(outage.fault(30));
  outage.answered(40);
  t.deepEqual(outage.ended(30 + QUIET), { faults: 2, durationMs: 30 });
  t.is(outage.ended(30 + QUIET), null);
  t.true(outage.fault(5000));
});

test('an outage ends a while after its last fault, once there has been an answer', (t) => {
  const outage = new Outage();
  t.is(outage.endsAt, NEVER);
  outage.fault(10);
  t.is(outage.endsAt, NEVER);
  outage.answered(20);
  t.is(outage.endsAt, 10 + QUIET);
  outage.fault(500);
  t.is(outage.endsAt, NEVER);
  outage.answered(600);
  outage.answered(700);
  t.is(outage.ended(500 + QUIET - 1), null);
  t.deepEqual(
    outage.ended(500 + QUIET),
    { faults: 2, durationMs: 590 },
    'the first answer is the one that ends it',
  );
});

test('an answer without an outage is nothing special', (t) => {
  const outage = new Outage();
  outage.answered(0);
  t.is(outage.endsAt, NEVER);
  t.is(outage.ended(QUIET), null);
});
