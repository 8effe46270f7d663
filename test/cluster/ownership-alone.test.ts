import test from 'ava';
import type { Claimed, LinkMessage } from '../../src/cluster/backplane.ts';
import { ownershipServer } from '../../src/cluster/ownership-server.ts';
import type { ClaimTable } from '../../src/cluster/ownership-state.ts';
import { type Pid, send } from '../../src/otp/process.ts';
import { spawnOk, spawnScripted } from '../support/otp.ts';
import { topicsWorld } from '../topic/topics-world.ts';

const EPOCH = 1_000_000;

/** A relay `n` that is alone at first, its topics and its ownership server. */
function world() {
  const base = topicsWorld();
  const { system, topics } = base;
  const table: ClaimTable = new Map();
  const server = spawnOk(system, ownershipServer, {
    node: 'n',
    topics: () => topics,
    alone: () => true,
    table,
    wallClock: () => EPOCH + system.clock.now(),
  });
  /** A link to relay `m`; all claims that it is told of. */
  const link = () => {
    const { pid, log } = spawnScripted(system);
    send(server, { type: 'attach', link: pid as Pid<LinkMessage>, node: 'm' });
    return () =>
      (log.got as LinkMessage[]).flatMap((message) => (message.type === 'claims' ? message.claims : []));
  };
  const announce = (claim: Omit<Claimed, 'realm'>) =>
    send(server, {
      type: 'announced',
      node: 'm',
      all: false,
      claims: [{ realm: 'main', ...claim }],
      answer: null,
    });
  return { ...base, server, table, link, announce };
}

test('owners of a relay that was alone are announced with the time at which they came, and what is left of a grace', async (t) => {
  const { member, claim, end, advance, quiet, server, link } = world();
  const [one, two] = [member(), member()];
  await advance(100);
  claim(one, 'owned', 5000);
  claim(two, 'left', 5000);
  await quiet();
  await advance(50);
  end(two);
  await quiet();
  await advance(1000);
  send(server, { type: 'linking' });
  const told = link();
  await quiet();
  const both = told().toSorted((a, b) => (a.name < b.name ? -1 : 1));
  t.deepEqual(both, [
    { realm: 'main', name: 'left', state: 'grace', since: EPOCH + 100, grace: 4000 },
    { realm: 'main', name: 'owned', state: 'owned', since: EPOCH + 100, grace: 5000 },
  ]);
});

test('of an owner here and one elsewhere the older one stays, though nobody heard it claim', async (t) => {
  for (const [since, remains] of [
    [EPOCH + 101, true],
    [EPOCH + 99, false],
  ] as const) {
    const { member, claim, advance, quiet, server, link, announce } = world();
    const owner = member();
    await advance(100);
    claim(owner, 't');
    await quiet();
    await advance(1000);
    send(server, { type: 'linking' });
    link();
    announce({ name: 't', state: 'owned', since, grace: 1000 });
    await quiet();
    t.deepEqual(owner.told, remains ? ['claimed t'] : ['claimed t', 'refused publish t owned']);
  }
});

test('alone again, what is owned here is asked of nobody, and owners elsewhere have their grace', async (t) => {
  const { member, claim, topic, advance, quiet, server, table, link, announce, join } = world();
  const [owner, subscriber] = [member(), member()];
  claim(owner, 'here');
  join(subscriber, 'there');
  await quiet();
  send(server, { type: 'linking' });
  link();
  announce({ name: 'there', state: 'owned', since: EPOCH, grace: 1000 });
  await quiet();
  t.is(topic('there').lifetime.state, 'elsewhere');
  send(server, { type: 'alone' });
  await quiet();
  t.deepEqual(
    [...table.values()].map(({ name }) => name),
    ['there'],
  );
  t.deepEqual(topic('there').lifetime, { state: 'elsewhere', grace: true });
  t.is(topic('here').lifetime.state, 'owned');
  await advance(1000);
  t.is(topic('there').lifetime.state, 'unowned');
  t.is(table.size, 0);
  t.deepEqual(owner.told, ['claimed here']);
});
