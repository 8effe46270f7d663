import test from 'ava';
import { RelayTable } from '../../src/cluster/relay-table.ts';
import * as vitals from '../../src/cluster/vitals-server.ts';
import type { VitalsFrame } from '../../src/door/peer/codec.ts';
import { NO_VITALS, VITALS_PERIOD, vitalsText } from '../../src/measure/vitals.ts';
import type { Pid } from '../../src/otp/process.ts';
import { spawnOk, spawnScripted, testSystem } from '../support/otp.ts';

function world({ alone = false } = {}) {
  const base = testSystem();
  const { system } = base;
  const table = new RelayTable();
  const told: string[] = [];
  const network = { alone };
  let looks = 0;
  const own = () => ({ ...NO_VITALS, uptime: ++looks });
  const backplane = { tellVitals: (text: string) => told.push(text) };
  const args = { table, own, backplane, alone: () => network.alone };
  spawnOk(system, vitals.vitalsServer, args, { name: vitals.vitalsName.value });
  return { ...base, table, told, network, looks: () => looks };
}

const text = (uptime: number) => vitalsText({ ...NO_VITALS, uptime });

test('all links are told at once, and then once in each period', async (t) => {
  const { told, quiet, advance } = world();
  await quiet();
  t.deepEqual(told, [text(1)]);
  await advance(VITALS_PERIOD - 1);
  t.is(told.length, 1);
  await advance(1);
  t.deepEqual(told, [text(1), text(2)]);
  await advance(VITALS_PERIOD);
  t.is(told.length, 3);
});

test('a link that has just been made is told at once, and has nobody told twice as often', async (t) => {
  const { system, told, quiet, advance } = world();
  await quiet();
  const { pid, log } = spawnScripted(system);
  vitals.linked(system, pid as Pid<VitalsFrame>);
  await quiet();
  t.deepEqual(log.got, [{ type: 'vitals', text: text(2) }]);
  t.is(told.length, 1);
  await advance(VITALS_PERIOD);
  t.is(told.length, 2);
});

test('a relay that is alone measures and tells nothing, until there is a link', async (t) => {
  const { system, told, network, looks, clock, quiet, advance } = world({ alone: true });
  await quiet();
  t.is(clock.pending, 0);
  await advance(10 * VITALS_PERIOD);
  t.is(looks(), 0);
  network.alone = false;
  vitals.linked(system, spawnScripted(system).pid as Pid<VitalsFrame>);
  await quiet();
  await advance(VITALS_PERIOD);
  t.is(told.length, 1);
  network.alone = true;
  await advance(VITALS_PERIOD);
  t.is(told.length, 1);
  t.is(clock.pending, 0);
});

test('what others tell is noted with its time, what is no such thing is left out, and a goodbye counts', async (t) => {
  const { system, table, quiet, advance, crashes } = world();
  await quiet();
  await advance(100);
  vitals.heard(system, 'a', text(5));
  vitals.heard(system, 'b', '{"uptime":"five"}');
  await quiet();
  t.deepEqual(table.of('a'), { vitals: { ...NO_VITALS, uptime: 5 }, at: 100, hasLeft: false });
  t.is(table.of('b'), undefined);
  vitals.heard(system, 'a', 'garbage');
  vitals.left(system, 'a');
  await quiet();
  t.like(table.of('a'), { vitals: { uptime: 5 }, hasLeft: true });
  t.deepEqual(crashes(), []);
});
