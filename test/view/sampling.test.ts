import test, { type ExecutionContext } from 'ava';
import { Accounting } from '../../src/topic/accounting.ts';
import type { RelayView } from '../../src/view/relay-view.ts';
import { Sampling } from '../../src/view/sampling.ts';

/** What is sampled of a relay whose books and doors the test writes. */
function sampled(t: ExecutionContext) {
  const accounting = new Accounting();
  const counters = { connections: 0, messages: 0, posts: 0, sends: 0, drops: 0 };
  const phase = { now: 'ready' };
  const doors: { counters: typeof counters }[] = [{ counters }];
  const sampling = new Sampling({
    topics: { accounting },
    doors: () => doors,
    phase: () => phase.now,
  } as unknown as RelayView);
  t.teardown(() => sampling.stop());
  return { accounting, counters, doors, phase, sampling };
}

test('messages over links that a slow reader holds back take nothing from those of own clients', (t) => {
  const { accounting, counters, sampling } = sampled(t);
  accounting.arrive(1_000_000);
  t.is(sampling.take().published, 0);
  counters.messages = 30;
  counters.posts = 10;
  const { published } = sampling.take();
  t.true(published > 0, String(published));
});

test('a relay whose doors are not open yet has no messages of own clients, though links bring some', (t) => {
  const { accounting, doors, sampling } = sampled(t);
  doors.length = 0;
  accounting.arrive(5);
  accounting.take(339);
  t.is(sampling.take().published, 0);
});

test('a door that is closed for good takes its count with it, and the rate is never below 0', (t) => {
  const { counters, doors, sampling } = sampled(t);
  counters.messages = 100;
  t.true(sampling.take().published > 0);
  doors.length = 0;
  t.is(sampling.take().published, 0);
});

test('samples of a start are left out once the relay is ready, with the one in which it became ready', (t) => {
  const { phase, sampling } = sampled(t);
  phase.now = 'starting';
  const first = sampling.take();
  t.deepEqual(sampling.settled(5), [first], 'while it starts there is nothing else');
  phase.now = 'ready';
  sampling.take();
  t.deepEqual(sampling.settled(5), []);
  const [third, fourth] = [sampling.take(), sampling.take()];
  t.deepEqual(sampling.settled(5), [third, fourth]);
  t.deepEqual(sampling.settled(1), [fourth]);
  phase.now = 'draining';
  t.is(sampling.settled(5).length, 2);
});
