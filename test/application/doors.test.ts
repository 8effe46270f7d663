import test from 'ava';
import { doorSettings } from '../../src/application/doors.ts';
import { testConfig } from '../support/relay.ts';

const doors = { pusu: {}, wspubsub: {}, pinghub: {} };

function heartbeats(limits: object): Record<string, unknown> {
  return Object.fromEntries(
    doorSettings(testConfig({ doors, limits })).map(({ door, heartbeat }) => [door.name, heartbeat]),
  );
}

test('each door has times of its own for pings and pongs where none are set', (t) => {
  const usual = { ping: 25_000, pong: 10_000 };
  t.deepEqual(heartbeats({}), { pusu: usual, wspubsub: usual, pinghub: { ping: 27_000, pong: 3000 } });
});

test('times that are set count at every door, each by itself, and 0 is none', (t) => {
  const all = (heartbeat: object) => ({ pusu: heartbeat, wspubsub: heartbeat, pinghub: heartbeat });
  t.deepEqual(heartbeats({ ping: '5s', pong: '1s' }), all({ ping: 5000, pong: 1000 }));
  t.deepEqual(heartbeats({ ping: 0, pong: 0 }), all({ ping: 0, pong: 0 }));
  const { pinghub, pusu } = heartbeats({ ping: '5s' });
  t.deepEqual(
    [pusu, pinghub],
    [
      { ping: 5000, pong: 10_000 },
      { ping: 5000, pong: 3000 },
    ],
  );
});
