import test from 'ava';
import { dialler } from '../../../src/cluster/mesh/dialler.ts';
import type { Address } from '../../../src/cluster/mesh/inbound-links.ts';
import type { Network } from '../../../src/cluster/mesh/network.ts';
import { inform } from '../../../src/otp/process.ts';
import { eventually } from '../../support/arrivals.ts';
import { spawnOk, testSystem } from '../../support/otp.ts';

/** A dialler on a clock that stands still: nothing is looked up again before it is told to. */
function world(relays: readonly string[], isProved = true) {
  const base = testSystem();
  const lookedUp: boolean[] = [];
  const started: string[] = [];
  let wanted: string[] = [];
  const list = (hosts: ReadonlyMap<string, unknown>, all: boolean) => {
    wanted = [...hosts.keys()];
    lookedUp.push(all);
  };
  const network = {
    isProved,
    news: { is: () => false, forget: () => undefined },
    inbound: { list, isDialled: () => false },
  } as unknown as Network;
  const start = ({ host, port }: Address) => started.push(`${host}:${port}`) > 0;
  const pid = spawnOk(base.system, dialler, { network, relays: () => relays, start });
  const done = async () => {
    await eventually(() => lookedUp.at(-1) === true, 'names are looked up');
    return lookedUp.splice(0);
  };
  return { ...base, pid, lookedUp, started, wanted: () => wanted, done };
}

test('addresses are known at once; a name, or that it is unknown, once it is looked up', async (t) => {
  t.deepEqual(await world(['127.0.0.1', '[::1]:7']).done(), [true]);
  t.deepEqual(await world(['localhost']).done(), [false, true]);
  t.deepEqual(await world(['127.0.0.1', 'no-such-name.invalid']).done(), [false, true]);
});

test('a relay that has dialled is dialled where it has come from, until the name stands for it, or two minutes have passed', async (t) => {
  const { pid, done, advance, started, wanted } = world(['localhost:7', '10.0.0.1:8']);
  await done();
  t.false(wanted().includes('10.0.0.9:7'));
  inform(pid, { type: 'unlinked', host: '10.0.0.9' });
  await advance(0);
  await advance(0);
  t.true(started.includes('10.0.0.9:7'), 'at the port of the name');
  t.false(started.includes('10.0.0.9:8'), 'and at no port of an address');
  await done();
  await advance(1999);
  await advance(1);
  t.true((await done()).length > 0, 'the name is looked up every two seconds');
  for (let passed = 0; passed < 120_000; passed += 2000) {
    await advance(2000);
    await done();
  }
  t.false(wanted().includes('10.0.0.9:7'));
});

test('where nobody has to prove anything, or there are only addresses, nobody is dialled in return', async (t) => {
  for (const { pid, done, advance, lookedUp } of [world(['127.0.0.1']), world(['localhost'], false)]) {
    await done();
    inform(pid, { type: 'unlinked', host: '10.0.0.9' });
    await advance(0);
    await advance(0);
    t.deepEqual(lookedUp, []);
  }
});
