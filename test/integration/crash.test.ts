import test, { type ExecutionContext } from 'ava';
import type { Connection } from '../../src/connection/connection.ts';
import { type Pid, type Process, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { publish } from '../../src/topic/topic-requests.ts';
import { eventually } from '../support/arrivals.ts';
import { freePorts } from '../support/cluster.ts';
import { crowd, hasAllInOrder, poison, quietAccount, topicOf } from '../support/promises.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const COUNTS = { readers: 20, publishers: 4 };
const MEMBERS = COUNTS.readers + COUNTS.publishers;

async function underLoad(t: ExecutionContext, settings: Readonly<Record<string, unknown>> = {}) {
  const relay = await startTestRelay(t, { doors: { pinghub: {} }, ...settings });
  const people = await crowd(t, relay.port('pinghub'), '/t', COUNTS);
  return { relay, people, everybody: [...people.readers, ...people.publishers] };
}

function named({ relay }: TestRelay, name: string): Pid<unknown> {
  const pid = [...relay.system.processes.values()].find((one) => one.name === name || one.label === name);
  if (pid === undefined) throw new Error(`no process ${name}`);
  return pid;
}

/** The handler of some accepted connection. */
function aHandler({ relay }: TestRelay): Process {
  const handlers = [...relay.system.processes.values()].filter(
    ({ behaviour, state }) => behaviour.name === 'connection-handler' && (state as Connection).accepted,
  );
  const handler = handlers[3];
  if (handler === undefined) throw new Error('no handler');
  return handler;
}

function endsOf(clients: readonly WsClient[]) {
  return clients.flatMap(({ got }) => got.all.filter((one) => typeof one === 'object' && 'code' in one));
}

test('a topic server that crashes under load loses the culprit alone; members, order and the account stay', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  const { accounting, log } = relay;
  const before = topicOf(relay, 't').server;
  await people.publish(300, (round) => {
    if (round % 5 === 2) send(topicOf(relay, 't').server as Pid<unknown>, poison(relay));
  });
  await people.heard(everybody);
  await quietAccount(relay);
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  for (const { got } of everybody) t.deepEqual(got.all, everybody[0]?.got.all);
  t.deepEqual(endsOf(everybody), []);
  t.not(topicOf(relay, 't').server, before);
  t.is(accounting.lost.crash, 3);
  t.is(accounting.messages, 1200 + 3);
  t.is(accounting.attempts, 1200 * MEMBERS);
  t.is(accounting.delivered, 1200 * MEMBERS);
  const reports = log.all.filter(({ msg }) => msg === 'crash report');
  t.is(reports.length, 3);
  t.is(reports[0]?.['initialCall'], 'topic-server');
  t.is(reports[0]?.['about'], 'topic:main:t');
  const ofSupervisor = log.all.filter(({ msg }) => msg === 'supervisor report');
  t.is(ofSupervisor.length, 3);
  t.like(ofSupervisor[0], { offender: { id: 'topic-server', about: 'topic:main:t' } });
});

test('a topic server that is killed under load loses nothing at all', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  await people.publish(300, (round) => {
    if (round % 5 === 2) exit(topicOf(relay, 't').server as Pid<never>, 'kill');
  });
  await people.heard(everybody);
  await quietAccount(relay);
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  t.is(relay.accounting.lost.crash, 0);
  t.is(relay.accounting.delivered, 1200 * MEMBERS);
});

test('crashes beyond the intensity of a partition lose messages, counted; members join again by themselves', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  const { accounting } = relay;
  const before = topicOf(relay, 't');
  let poisons = 0;
  const topic = () => relay.relay.topics.find('main', 't');
  // On a slow machine it takes more of them until there have been enough in the time that counts.
  while (topic() === before)
    await people.publish(20, () => {
      const target = topic();
      if (target !== undefined && publish(target, poison(relay))) poisons++;
    });
  await people.publish(100);
  const sent = people.sent.flat().length;
  await eventually(() => accounting.messages === sent + poisons, 'all have been taken');
  await eventually(() => topic()?.members.size === MEMBERS, 'all are back');
  await quietAccount(relay);
  const missed = accounting.lost.crash + accounting.lost.unheard + accounting.lost.refused;
  t.true(poisons >= 11);
  t.is(accounting.messages, sent + poisons);
  t.true(missed >= poisons);
  t.true(isBalanced(accounting));
  t.is(accounting.delivered, accounting.attempts);
  await eventually(
    () => everybody.reduce((sum, { got }) => sum + got.all.length, 0) === accounting.delivered,
    'what was delivered has come',
  );
  // Whoever was there for all of it has seen one order, and nobody was closed.
  for (const { got } of everybody) {
    const mine = got.all
      .filter((one) => String(one).startsWith('0:'))
      .map((one) => Number(String(one).slice(2)));
    t.deepEqual(
      mine,
      [...new Set(mine)].sort((a, b) => a - b),
    );
  }
  t.deepEqual(endsOf(everybody), []);
  people.publishers[0]?.send('after');
  for (const { got } of everybody) await got.find((one) => one === 'after');
});

test('a handler that crashes under load closes its own client with 1011; the others miss nothing', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  await people.publish(300, (round) => {
    if (round === 5) send(aHandler(relay), null);
  });
  const line = await relay.closed();
  t.like(line, { code: 1011, reason: 'crash', door: 'pinghub' });
  await eventually(() => endsOf(everybody).length === 1, 'one end');
  const others = everybody.filter((one) => endsOf([one]).length === 0);
  await people.heard(people.readers.filter((one) => others.includes(one)));
  await quietAccount(relay);
  t.deepEqual(endsOf(everybody), [{ code: 1011, reason: 'internal error' }]);
  t.is(topicOf(relay, 't').members.size, MEMBERS - 1);
  const got = everybody.reduce((sum, client) => sum + client.got.all.length, 0) - 1;
  t.is(relay.accounting.delivered, got);
  t.is(relay.log.all.filter(({ msg }) => msg === 'crash report').length, 1);
});

test('a handler that is killed under load takes its own socket along, and no other', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  await people.publish(300, (round) => {
    if (round === 5) exit(aHandler(relay), 'kill');
  });
  t.like(await relay.closed(), { code: 1006, reason: 'killed', door: 'pinghub' });
  await eventually(() => endsOf(everybody).length === 1, 'one end');
  await quietAccount(relay);
  t.deepEqual(endsOf(everybody), [{ code: 1006, reason: '' }]);
  t.is(topicOf(relay, 't').members.size, MEMBERS - 1);
});

test('a listener that crashes under load leaves the connections alone, and its port is open again', async (t) => {
  const [port = 0] = await freePorts(1);
  const relay = await startTestRelay(t, { doors: { pinghub: { port } } });
  const people = await crowd(t, port, '/t', COUNTS);
  const everybody = [...people.readers, ...people.publishers];
  await people.publish(300, (round) => {
    if (round === 5) send(named(relay, 'listener.pinghub'), null);
  });
  await people.heard(everybody);
  await quietAccount(relay);
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  await relay.log.count(({ msg, door }) => msg === 'listening' && door === 'pinghub', 2);
  const late = await connectWs(t, port, '/t');
  late.send('late');
  t.is(await late.next(), 'late');
  t.is(relay.accounting.lost.crash, 0);
});

test('a supervisor of connections that is killed ends its own clients with 1001 and is there again for new ones', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  await people.publish(100, (round) => {
    if (round === 2) exit(named(relay, 'connections.0') as Pid<never>, 'kill');
  });
  // Clients are dealt out to 8 partitions in turn.
  await eventually(() => endsOf(everybody).length === MEMBERS / 8, 'their ends');
  for (const end of endsOf(everybody)) t.deepEqual(end, { code: 1001, reason: 'going away' });
  await quietAccount(relay);
  t.is(topicOf(relay, 't').members.size, MEMBERS - MEMBERS / 8);
  for (let i = 0; i < 8; i++) await connectWs(t, relay.port('pinghub'), '/t');
  t.is(topicOf(relay, 't').members.size, MEMBERS - MEMBERS / 8 + 8);
});

for (const part of ['router', 'servers'] as const) {
  test(`a topic ${part === 'router' ? 'router that is killed is not noticed' : 'supervisor that is killed has its members back by themselves'}`, async (t) => {
    const { relay, people, everybody } = await underLoad(t);
    await people.publish(200, (round) => {
      if (round !== 3) return;
      for (let i = 0; i < 8; i++)
        if (
          part === 'router' ||
          relay.relay.system.processes.get(topicOf(relay, 't').server?.id ?? 0)?.parent?.name ===
            `topics.${i}.servers`
        )
          exit(named(relay, `topics.${i}.${part}`) as Pid<never>, 'kill');
    });
    await eventually(() => relay.accounting.messages === 800, 'all have been taken');
    await eventually(() => relay.relay.topics.find('main', 't')?.members.size === MEMBERS, 'all are in');
    await quietAccount(relay);
    t.deepEqual(endsOf(everybody), []);
    const { lost, messages } = relay.accounting;
    t.is(messages, 800);
    if (part === 'router') t.true(Object.values(lost).every((count) => count === 0));
    await connectWs(t, relay.port('pinghub'), '/t');
    people.publishers[0]?.send('after');
    for (const { got } of everybody) await got.find((one) => one === 'after');
  });
}

test('an authenticator that crashes is noticed by those it was judging; those who are in stay', async (t) => {
  const { relay, people, everybody } = await underLoad(t);
  const { system } = relay.relay;
  const name = 'authenticator.pinghub';
  const before = system.names.get(name);
  await people.publish(200, (round) => {
    if (round === 3) send(named(relay, name), null);
  });
  await people.heard(everybody);
  t.not(system.names.get(name), before);
  t.true(system.names.has(name));
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  await connectWs(t, relay.port('pinghub'), '/t', { headers: { Authorization: 'anything' } });
});
