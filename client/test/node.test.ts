import test from 'ava';
import { startTestRelay } from '../../test/support/relay.ts';
import { connect } from '../src/node.ts';

test('what one client publishes another one hears, in order and once', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const url = `ws://127.0.0.1:${relay.port('pusu')}`;
  const one = connect(url);
  const two = connect(url);
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const subscription = two.subscribe<number>('numbers', { buffer: 10 });
  await subscription.ready;
  const count = 1000;
  const publishing = (async () => {
    for (let i = 0; i < count; i++) await one.publish('numbers', i);
    return one.flush();
  })();
  let next = 0;
  for await (const event of subscription) {
    t.is(event.type === 'message' ? event.content : event, next);
    if (++next === count) break;
  }
  t.is(typeof (await publishing), 'number');
});
