import test from 'ava';
import type { LinkMessage } from '../../src/cluster/backplane.ts';
import * as interest from '../../src/cluster/interest-server.ts';
import { PeerFormats } from '../../src/door/peer/batch.ts';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import { Histories } from '../../src/topic/history/histories.ts';
import type { Line } from '../../src/topic/history/line.ts';
import { Topic } from '../../src/topic/topic.ts';
import { Topics } from '../../src/topic/topics.ts';
import { spawnOk, spawnScripted, testSystem } from '../support/otp.ts';

const format = new PeerFormats().of('main', 2);

function world(topics = new Topics(new Accounting())) {
  const base = testSystem();
  const { system } = base;
  const args = { topics: () => topics, alone: () => false };
  spawnOk(system, interest.interestServer, args, { name: interest.interestName.value });
  const topicOf = (name: string, line: Line | null = null, isOrdered = false) => {
    const { pid, log } = spawnScripted(system);
    const topic = new Topic('main', name, isOrdered, line);
    topic.serve(pid);
    const want = () => {
      topic.await({ type: 'join', name, member: pid, format, while: 'wanted' });
      interest.wanted(system, topic, topic.round);
    };
    const unwant = () => {
      topic.nextJoin();
      topic.loseInterest();
      interest.unwanted(system, topic);
    };
    return { topic, got: log.got, want, unwant };
  };
  const linkOf = () => {
    const { pid, log } = spawnScripted(system);
    const link = pid as Pid<LinkMessage>;
    interest.attach(system, link);
    const told = () =>
      (log.got as LinkMessage[]).flatMap((message) =>
        message.type === 'interest'
          ? [
              `${message.all ? '=' : ''}${message.add.map(({ name }) => `+${name}`).join('')}${message.drop.map(({ name }) => `-${name}`).join('')}`,
            ]
          : [],
      );
    const confirm = () => {
      const { version } = log.got.at(-1) as { version: number };
      interest.confirmed(system, link, version);
    };
    return { link, told, confirm };
  };
  return { ...base, topicOf, linkOf };
}

test('with no link there is nobody to wait for', async (t) => {
  const { topicOf, quiet } = world();
  const a = topicOf('a');
  a.want();
  await quiet();
  t.deepEqual(a.got, [{ type: 'interested', round: 1 }]);
});

test('a topic is told once every link has confirmed, and a link that ends is not waited for', async (t) => {
  const { topicOf, linkOf, quiet } = world();
  const [one, two, three] = [linkOf(), linkOf(), linkOf()];
  await quiet();
  for (const { confirm } of [one, two, three]) confirm();
  const a = topicOf('a');
  a.want();
  await quiet();
  t.deepEqual(one.told(), ['=', '+a']);
  one.confirm();
  await quiet();
  two.confirm();
  await quiet();
  t.is(a.got.length, 0);
  exit(three.link, 'shutdown');
  await quiet();
  t.is(a.got.length, 1);
});

test('topics with one order for all are told once of each link that is lost', async (t) => {
  const topics = new Topics(new Accounting());
  const { topicOf, linkOf, system, quiet } = world(topics);
  const [one, two] = [linkOf(), linkOf()];
  const [ordered, other] = [topicOf('a', null, true), topicOf('b')];
  topics.all = () => [ordered.topic, other.topic];
  await quiet();
  interest.detach(system, one.link);
  await quiet();
  interest.detach(system, one.link);
  exit(one.link, 'shutdown');
  await quiet();
  t.deepEqual(ordered.got, [{ type: 'unlinked' }]);
  exit(two.link, 'kill');
  await quiet();
  t.is(ordered.got.length, 2);
  t.is(other.got.length, 0);
});

test('what is wanted in one turn is told at once', async (t) => {
  const { topicOf, linkOf, quiet } = world();
  const link = linkOf();
  await quiet();
  for (const name of ['a', 'b', 'c']) topicOf(name).want();
  await quiet();
  t.deepEqual(link.told(), ['=', '+a+b+c']);
});

test('a topic that is left and wanted again within three seconds is nothing that links hear of', async (t) => {
  const { topicOf, linkOf, quiet, advance } = world();
  const link = linkOf();
  const a = topicOf('a');
  a.want();
  await quiet();
  link.confirm();
  await quiet();
  for (let i = 0; i < 5; i++) {
    a.unwant();
    await advance(2900);
    a.want();
    await quiet();
  }
  t.deepEqual(link.told(), ['=', '+a']);
  t.is(a.got.length, 6, 'and it is told at once each time');
  a.unwant();
  await quiet();
  for (let i = 0; i < 5; i++) await advance(1000);
  t.deepEqual(link.told(), ['=', '+a', '-a']);
});

test('a link that comes later is told everything', async (t) => {
  const { topicOf, linkOf, quiet } = world();
  for (const name of ['a', 'b']) topicOf(name).want();
  await quiet();
  const link = linkOf();
  await quiet();
  t.deepEqual(link.told(), ['=+a+b']);
});

test('what is wanted when the first relay comes is told to its link, and forgotten when there is none', async (t) => {
  const of = (name: string) => new Topic('main', name);
  const [none, held, asked, later] = [of('none'), of('held'), of('asked'), of('later')];
  held.holdInterest();
  later.holdInterest();
  asked.await({
    type: 'join',
    name: 'asked',
    member: { id: 1 },
    format,
    while: 'wanted',
  });
  const had = [none, held, asked];
  const topics = Object.assign(new Topics(new Accounting()), { all: () => had.values() });
  const { system, linkOf, quiet } = world(topics);
  had.push(later);
  interest.alone(system);
  const before = linkOf();
  await quiet();
  t.deepEqual(before.told(), ['=']);
  interest.linking(system);
  await quiet();
  t.deepEqual(before.told(), ['=', '+held+asked+later']);
});

/** A line that keeps messages for a minute, and has had one. */
function keptLine(name: string): Line {
  const rule = () => ({ messages: 10, bytes: 10_000, age: 60_000 });
  const line = new Histories({ rule, total: 100_000, resume: 10_000 }).open({ realm: 'main', name }) as Line;
  line.take({ kind: 'text', payload: Buffer.from('x') }, 0);
  return line;
}

test('a topic whose messages are kept stays known for as long as they are, and what comes later than that says what is missing', async (t) => {
  const { topicOf, linkOf, quiet, advance } = world();
  const { told, confirm } = linkOf();
  await quiet();
  confirm();
  const a = topicOf('a', keptLine('a'));
  a.want();
  await quiet();
  // Nobody here wanted it before: what was published elsewhere meanwhile is not kept.
  t.like(a.got[0], { type: 'change', change: { type: 'hole', count: null, why: 'expired' } });
  a.unwant();
  for (let i = 0; i < 59; i++) await advance(1000);
  t.deepEqual(told(), ['=', '+a']);
  const { length } = a.got;
  a.want();
  a.unwant();
  await quiet();
  t.deepEqual(a.got.slice(length), [], 'it has missed nothing');
  for (let i = 0; i < 62; i++) await advance(1000);
  t.deepEqual(told(), ['=', '+a', '-a']);
});

test('a topic with one order for all is known no longer for being kept: its home is asked for the rest', async (t) => {
  const { topicOf, linkOf, quiet, advance } = world();
  const { told, confirm } = linkOf();
  await quiet();
  confirm();
  const a = topicOf('a', keptLine('a'), true);
  a.want();
  await quiet();
  t.false(a.got.some((message) => (message as { readonly type: string }).type === 'change'));
  a.unwant();
  for (let i = 0; i < 5; i++) await advance(1000);
  t.deepEqual(told(), ['=', '+a', '-a']);
});
