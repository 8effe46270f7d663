import test from 'ava';
import { dialler } from '../../../src/cluster/mesh/dialler.ts';
import type { Network } from '../../../src/cluster/mesh/network.ts';
import { inform } from '../../../src/otp/process.ts';
import { eventually } from '../../support/arrivals.ts';
import { spawnOk, testSystem } from '../../support/otp.ts';

/** A dialler on a clock that stands still: nothing is looked up again before it is told to. */
function world(relays: readonly string[]) {
  const base = testSystem();
  const lookedUp: boolean[] = [];
  const network = {
    servesUnlinked: false,
    news: { is: () => false, forget: () => undefined },
    inbound: { list: (_: unknown, all: boolean) => lookedUp.push(all), isDialled: () => true },
  } as unknown as Network;
  const pid = spawnOk(base.system, dialler, { network, relays: () => relays, start: () => true });
  const done = async () => {
    await eventually(() => lookedUp.at(-1) === true, 'names are looked up');
    return lookedUp.splice(0);
  };
  return { ...base, pid, lookedUp, done };
}

test('addresses are known at once; a name, or that it is unknown, once it is looked up', async (t) => {
  t.deepEqual(await world(['127.0.0.1', '[::1]:7']).done(), [true]);
  t.deepEqual(await world(['localhost']).done(), [false, true]);
  t.deepEqual(await world(['127.0.0.1', 'no-such-name.invalid']).done(), [false, true]);
});

test('a relay that is at no address that is dialled has names looked up again at once', async (t) => {
  const { pid, done, advance, lookedUp } = world(['localhost']);
  await done();
  await advance(29_999);
  t.deepEqual(lookedUp, []);
  inform(pid, { type: 'unknown' });
  await advance(0);
  await advance(0);
  t.true((await done()).length > 0);
});

test('where there are only addresses nothing is looked up for it', async (t) => {
  const { pid, done, advance, lookedUp } = world(['127.0.0.1']);
  await done();
  inform(pid, { type: 'unknown' });
  await advance(0);
  await advance(0);
  t.deepEqual(lookedUp, []);
});
