import test from 'ava';
import type { Underway } from '../../../src/cluster/mesh/forwarded-counts.ts';
import { InboundLinks } from '../../../src/cluster/mesh/inbound-links.ts';
import { OutboundLinks } from '../../../src/cluster/mesh/outbound-links.ts';
import { ReceivedCounts } from '../../../src/door/peer/dialling-session.ts';
import { exit } from '../../../src/otp/signal.ts';
import { spawnScripted, testSystem } from '../../support/otp.ts';
import { underway } from '../../support/underway.ts';

const one = { node: 'far', incarnation: 'first' };
const anew = { node: 'far', incarnation: 'second' };
const types = (got: readonly unknown[]) => got.map((message) => (message as { readonly type: string }).type);

test('the links to addresses that leave the list are ended, and may begin anew before they have', async (t) => {
  const { system, quiet } = testSystem();
  const links = new InboundLinks();
  const [a, b, again] = [spawnScripted(system), spawnScripted(system), spawnScripted(system)];
  const dialled = links.begin('a:1', a.pid);
  links.begin('b:1', b.pid);
  links.list(new Map([['b:1', { host: '10.0.0.2', port: 1 }]]), true);
  t.true(links.isListed('10.0.0.2'));
  await quiet();
  t.deepEqual([types(a.log.got), types(b.log.got)], [['end'], []]);
  t.false(links.isDialled('a:1'));
  t.true(links.isDialled('b:1'));
  links.begin('a:1', again.pid);
  links.end(dialled, a.pid, true);
  t.true(links.isDialled('a:1'), 'by its successor');
  links.end(dialled, again.pid, true);
  t.deepEqual(
    [...links.ways()].map(({ address }) => address),
    ['b:1'],
  );
});

const nothing = { ...(underway(1)[0] as Underway), hops: 0 };

test('a relay that is linked is found by its name and by its start, and its counts outlive the link', async (t) => {
  const { system, quiet } = testSystem();
  const links = new InboundLinks();
  const [link, spare] = [spawnScripted(system), spawnScripted(system)];
  links.begin('a:1', link.pid).linked('far');
  const other = links.begin('a:2', spare.pid);
  const counts = new ReceivedCounts('first', 0);
  links.linked(one, link.pid, counts, { version: 2, epoch: 1 });
  t.true(links.has('far') && links.isLinked('first') && !links.isLinked('second'));
  t.is(links.versionOf('far'), 2);
  t.true(links.forward('far', nothing));
  t.true(links.answer('first', { type: 'confirm', version: 1 }));
  t.false(links.answer('second', { type: 'confirm', version: 1 }));
  other.notLinked('needless', 'another address');
  t.is([...links.ways()].length, 1);
  links.unlinked(one, spare.pid);
  t.true(links.has('far'), 'that was not its link');
  links.unlinked(one, link.pid);
  t.false(links.has('far') || links.isLinked('first') || links.forward('far', nothing));
  t.is(links.countsOf('far'), counts);
  t.is(links.versionOf('far'), 1, 'nobody is there who could speak another one');
  await quiet();
  t.deepEqual(types(spare.log.got), ['needed', 'needed']);
  t.deepEqual(types(link.log.got), ['forward', 'answer', 'needed', 'needed']);
});

test('a name is kept by the start that is linked, and taken over from one that is not', async (t) => {
  const { system, quiet } = testSystem();
  const links = new OutboundLinks();
  const link = spawnScripted(system);
  t.true(links.claim(one), 'nobody has it');
  const served = links.begin(one, link.pid);
  t.is(links.to('far'), link.pid);
  served.connected({ socket: { stream: { writableLength: 5 } }, session: { lag: () => 7 } } as never);
  t.deepEqual([served.links, served.pending, served.lag(0)], [1, 5, 7]);
  t.false(links.claim(anew));
  t.true(links.claim(one), 'the same start dials anew');
  served.disconnected();
  t.deepEqual([served.links, served.pending, served.lag(0)], [1, 0, 0]);
  t.true(links.claim(anew));
  t.is(links.to('far'), undefined);
  await quiet();
  t.deepEqual(types(link.log.got), ['replaced']);
});

test('counts go on with the process that comes in the place of one that was killed; another start has its own', (t) => {
  const { system } = testSystem();
  const links = new OutboundLinks();
  const [first, second] = [spawnScripted(system), spawnScripted(system)];
  const served = links.begin(one, first.pid);
  served.outbox.drop(3, 'unlinked');
  exit(first.pid, 'kill');
  t.is(links.to('far'), undefined);
  t.is(links.begin(one, second.pid), served);
  t.is(links.to('far'), second.pid);
  t.is(links.begin(anew, second.pid).outbox.last, 0);
  links.forget('far', served);
  t.not(links.of('far'), undefined, 'it was not counted for any more');
});

test('a link is being made until it is there, or nobody can be reached', (t) => {
  const { system } = testSystem();
  const links = new InboundLinks();
  const { pid } = spawnScripted(system);
  const making = () => [...links.beingMade()].map(([address]) => address);
  t.deepEqual(making(), ['relays'], 'their names are not known yet');
  const hosts = ['a', 'b', 'c', 'd'].map((host) => [`${host}:1`, { host, port: 1 }] as const);
  links.list(new Map(hosts), true);
  t.deepEqual(making(), ['a:1', 'b:1', 'c:1', 'd:1'], 'nothing dials them yet');
  const [a, b, c, d] = hosts.map(([address]) => links.begin(address, pid));
  t.is(making().length, 4, 'nothing has come of it yet');
  a?.linked('far');
  b?.notLinked('needless', 'this is the same relay');
  c?.notLinked('connecting', 'connect ECONNREFUSED', true);
  d?.notLinked('connecting', 'refused: another relay of that name is linked');
  t.deepEqual([...links.beingMade()], [['d:1', 'refused: another relay of that name is linked']]);
  a?.notLinked('connecting', 'connection lost');
  t.deepEqual(making(), ['a:1', 'd:1']);
});

test('a relay is served when it has told all that it wants, and all owners that are there, over this connection', (t) => {
  const { system } = testSystem();
  const served = new OutboundLinks().begin(one, spawnScripted(system).pid);
  const connection = { socket: { stream: { writableLength: 0 } } } as never;
  served.connected(connection);
  t.false(served.serves);
  served.told('interest');
  t.false(served.serves);
  served.told('claims');
  t.true(served.serves);
  served.disconnected();
  served.connected(connection);
  t.false(served.serves, 'what was told over the last connection may have changed');
});
