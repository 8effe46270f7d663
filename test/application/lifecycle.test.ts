import test from 'ava';
import { Lifecycle } from '../../src/application/lifecycle.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function lifecycle(drainDelay: number) {
  const clock = new VirtualClock();
  const said: unknown[] = [];
  const log = { note: (message: string, fields: object) => said.push({ message, ...fields }) };
  const one = new Lifecycle(clock, () => ({ drainDelay }), log);
  return { one, clock, said };
}

test('a relay that is ready leaves before it drains, and is shown as draining meanwhile', async (t) => {
  const { one, clock, said } = lifecycle(5000);
  t.is(one.shown, 'starting');
  one.started();
  t.is(one.shown, 'ready');
  one.stop();
  await one.stopRequested;
  t.is(one.phase, 'leaving');
  t.is(one.shown, 'draining');
  t.deepEqual(said, [{ message: 'leaving', drainDelayMs: 5000 }]);
  clock.advance(4999);
  t.is(one.phase, 'leaving');
  clock.advance(1);
  await one.stopping;
  t.is(one.phase, 'stopping');
});

test('without a delay, before it is ready, or asked again, it drains at once', (t) => {
  const now = lifecycle(0).one;
  now.started();
  now.stop();
  t.is(now.phase, 'stopping');
  const early = lifecycle(5000).one;
  early.stop();
  t.is(early.phase, 'stopping');
  early.started();
  t.is(early.phase, 'stopping');
  const { one, clock } = lifecycle(5000);
  one.started();
  one.stop();
  one.stop();
  t.is(one.phase, 'stopping');
  t.is(clock.pending, 0);
});

test('a relay that ends while it leaves leaves no timer', (t) => {
  const { one, clock } = lifecycle(5000);
  one.started();
  one.stop();
  one.ended();
  t.is(clock.pending, 0);
});
