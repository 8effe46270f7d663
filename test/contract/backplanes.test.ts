import { freePorts, SECRET } from '../support/cluster.ts';
import { skipWithoutNats, startNats } from '../support/nats.ts';
import { startTestRelay } from '../support/relay.ts';
import { backplaneContract, contractDoors } from './backplane-contract.ts';

backplaneContract({
  name: 'none',
  relays: 1,
  start: async (t) => [await startTestRelay(t, { doors: contractDoors })],
});

backplaneContract({
  name: 'mesh',
  relays: 3,
  start: async (t, count) => {
    const ports = await freePorts(count);
    const relays = await Promise.all(
      ports.map((port, index) =>
        startTestRelay(t, {
          node: `n${index}`,
          relays: ports.map((each) => `127.0.0.1:${each}`),
          network: { host: '127.0.0.1', port, secret: SECRET, timeout: '30s' },
          doors: contractDoors,
        }),
      ),
    );
    for (const { log } of relays) await log.count(({ msg }) => msg === 'linked', count - 1);
    for (const { log } of relays) await log.count(({ msg }) => msg === 'serving', count - 1);
    return relays;
  },
});

backplaneContract({
  name: 'nats',
  relays: 3,
  skip: skipWithoutNats,
  start: async (t, count) => {
    const { address } = await startNats(t);
    const relays = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        startTestRelay(t, {
          node: `n${index}`,
          cluster: { backplane: 'nats', servers: [address] },
          network: { timeout: '30s' },
          doors: contractDoors,
        }),
      ),
    );
    for (const { log } of relays) await log.count(({ msg }) => msg === 'linked', count - 1);
    return relays;
  },
});
