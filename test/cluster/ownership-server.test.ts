import test from 'ava';
import type { LinkMessage } from '../../src/cluster/backplane.ts';
import { Claims } from '../../src/cluster/claims.ts';
import * as ownership from '../../src/cluster/ownership-server.ts';
import type { PeerClaim } from '../../src/door/peer/codec.ts';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { Topic } from '../../src/topic/topic.ts';
import { spawnOk, spawnScripted } from '../support/otp.ts';
import { topicsWorld } from '../topic/topics-world.ts';

const EPOCH = 1_000_000;

/** A relay `n` that is alone at first, its topics and its ownership server. */
function world() {
  const base = topicsWorld();
  const { system, topics } = base;
  const claims = new Claims('n');
  let isAlone = true;
  const args = {
    topics: () => topics,
    alone: () => isAlone,
    claims,
    wallClock: () => EPOCH + system.clock.now(),
  };
  const start = () =>
    spawnOk(system, ownership.ownershipServer, args, { name: ownership.ownershipName.value });
  let server = start();
  const linking = () => {
    isAlone = false;
    ownership.linking(system);
  };
  const restart = async () => {
    exit(server, 'kill');
    await base.quiet();
    server = start();
  };
  /** A link to relay `m`; all claims that it is told of. */
  const link = () => {
    const { pid, log } = spawnScripted(system);
    ownership.attach(system, pid as Pid<LinkMessage>, 'm');
    return () =>
      (log.got as LinkMessage[]).flatMap((message) => (message.type === 'claims' ? message.claims : []));
  };
  const announce = (claim: Omit<PeerClaim, 'realm'>) =>
    ownership.announced(system, 'm', { all: false, claims: [{ realm: 'main', ...claim }] }, null);
  return { ...base, claims, linking, restart, link, announce };
}

test('owners of a relay that was alone are announced with the time at which they came, and what is left of a grace', async (t) => {
  const { member, claim, end, advance, quiet, linking, link } = world();
  const [one, two] = [member(), member()];
  await advance(100);
  claim(one, 'owned', 5000);
  claim(two, 'left', 5000);
  await quiet();
  await advance(50);
  end(two);
  await quiet();
  await advance(1000);
  linking();
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
    const { member, claim, advance, quiet, linking, link, announce } = world();
    const owner = member();
    await advance(100);
    claim(owner, 't');
    await quiet();
    await advance(1000);
    linking();
    link();
    announce({ name: 't', state: 'owned', since, grace: 1000 });
    await quiet();
    t.deepEqual(owner.told, remains ? ['claimed t'] : ['claimed t', 'refused publish t owned']);
  }
});

test('alone again, what is owned here is asked of nobody, and owners elsewhere have their grace', async (t) => {
  const { system, member, claim, topic, advance, quiet, linking, claims, link, announce, join } = world();
  const [owner, subscriber] = [member(), member()];
  claim(owner, 'here');
  join(subscriber, 'there');
  await quiet();
  linking();
  link();
  announce({ name: 'there', state: 'owned', since: EPOCH, grace: 1000 });
  await quiet();
  t.is(topic('there').lifetime.state, 'elsewhere');
  ownership.alone(system);
  await quiet();
  t.deepEqual(
    [...claims.topics].map(({ name }) => name),
    ['there'],
  );
  t.deepEqual(topic('there').lifetime, { state: 'elsewhere', grace: true });
  t.is(topic('here').lifetime.state, 'owned');
  await advance(1000);
  t.is(topic('there').lifetime.state, 'unowned');
  t.deepEqual([...claims.topics], []);
  t.deepEqual(owner.told, ['claimed here']);
});

test('a claim that is granted when its topic has ended stands for no owner', async (t) => {
  const { system, claims, linking, quiet, member } = world();
  linking();
  const topic = new Topic('main', 't');
  ownership.claim(system, topic, { type: 'claim', name: 't', member: member().pid, grace: 1000 });
  await quiet();
  t.is(claims.own(topic)?.state, 'grace');
});

test('an ownership server that begins anew goes on with the owners who are here, and lets go of those who are not', async (t) => {
  const { system, claims, linking, link, quiet, advance, restart, member, claim, topic } = world();
  linking();
  const owner = member();
  claim(owner, 'here');
  await quiet();
  ownership.claim(system, topic('here'), { type: 'claim', name: 'here', member: owner.pid, grace: 1000 });
  await quiet();
  const vanished = new Topic('main', 'vanished');
  claims.put(vanished, { node: 'n', state: 'owned', since: EPOCH, grace: 500, until: 0 });
  claims.put(new Topic('main', 'asked'), { node: 'n', state: 'asked', since: EPOCH, grace: 500, until: 0 });
  await restart();
  const told = link();
  await quiet();
  t.deepEqual(
    told().map(({ name, state }) => [name, state]),
    [
      ['here', 'owned'],
      ['vanished', 'grace'],
    ],
  );
  await advance(500);
  t.is(claims.own(vanished), undefined);
});
