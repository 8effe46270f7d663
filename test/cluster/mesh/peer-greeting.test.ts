import test from 'ava';
import { type PeerGreetingArgs, peerGreeting } from '../../../src/cluster/mesh/peer-greeting.ts';
import { isAlive } from '../../../src/otp/process.ts';
import { spawnOk, testSystem } from '../../support/otp.ts';

test('a connection that has ended before its greeting begins is no failure of the greeting', async (t) => {
  const { system, quiet, crashes } = testSystem();
  let destroyed = false;
  const stream = {
    destroy: () => {
      destroyed = true;
    },
    destroySoon: () => undefined,
  };
  const socket = { stream, attach: () => undefined, accept: () => false };
  const network = { self: { node: 'near' }, settings: { handshake: 1000, secret: null, tls: {} }, key: null };
  const greeting = spawnOk(system, peerGreeting, { network, socket } as unknown as PeerGreetingArgs);
  await quiet();
  t.false(isAlive(greeting));
  t.true(destroyed);
  t.deepEqual(crashes(), []);
});
