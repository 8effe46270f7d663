import test from 'ava';
import { metricsText } from '../../../src/door/pinghub/metrics-text.ts';

test('metrics are lines sorted by name, rates with three decimals', (t) => {
  const metrics = {
    channels: 1,
    websockets: 2,
    drops5m: 0,
    postmsgs5m: 0.0004,
    sends5m: 1234.5678,
    websocketmsgs5m: 0.5,
  };
  t.is(
    metricsText(metrics),
    'channels.value 1\ndrops5m.value 0.000\npostmsgs5m.value 0.000\nsends5m.value 1234.568\n' +
      'websocketmsgs5m.value 0.500\nwebsockets.value 2\n',
  );
});
