import test from 'ava';
import { Publication } from '../../src/cluster/publication.ts';
import type { Self } from '../../src/otp/process.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import type { Publish, PublisherMessage } from '../../src/topic/message.ts';
import { Topic } from '../../src/topic/topic.ts';
import type { Topics } from '../../src/topic/topics.ts';
import { spawnScripted, testSystem } from '../support/otp.ts';

const MOST = 4 * 1024 * 1024;
const key = { realm: 'main', name: 't' };
const via = { node: 'far', epoch: 3 };
const messages = (...texts: readonly string[]) =>
  texts.map((text) => ({ kind: 'text', payload: Buffer.from(text) }) as const);

const of = (list: ReturnType<typeof messages>, bytes: number) => ({
  ...key,
  messages: list,
  bytes,
  keys: null,
});

/** A link, and the one topic that there is, whose server takes so many messages; undefined: it has none. */
function world(mailboxLimit?: number) {
  const { system, quiet } = testSystem();
  const link = spawnScripted(system);
  const server = spawnScripted(system, {}, mailboxLimit === undefined ? {} : { mailboxLimit });
  const accounting = new Accounting();
  const topic = new Topic('main', 't');
  if (mailboxLimit !== 0) topic.serve(server.pid);
  const topics = { accounting, find: () => topic, keeps: () => false } as unknown as Topics;
  const publication = new Publication(() => topics, link.pid as unknown as Self<PublisherMessage>);
  const got = async () => {
    await quiet();
    return server.log.got as readonly Publish[];
  };
  return { publication, got, accounting };
}

const lost = ({ messages: count, lost: { unheard, refused } }: Accounting) => ({ count, unheard, refused });

test('messages go to the server of their topic in order, and the last one brings back what all have cost', async (t) => {
  const { publication, got } = world(100);
  t.is(publication.publish(of(messages('a', 'b', 'c'), 30), via), 0);
  t.is(publication.underWay, 30 + 3 * 64);
  t.deepEqual(
    (await got()).map((one) => [one.message.payload.toString(), one.credit, one.via]),
    [
      ['a', 0, via],
      ['b', 0, via],
      ['c', 30 + 3 * 64, via],
    ],
  );
  t.false(publication.arrived(30 + 3 * 64), 'it was read all the time');
  t.is(publication.underWay, 0);
});

test('messages for a topic that nobody is in are unheard, and cost nothing', (t) => {
  const { publication, accounting } = world(0);
  t.is(publication.publish(of(messages('a', 'b'), 20), null), 0);
  t.deepEqual(lost(accounting), { count: 2, unheard: 2, refused: 0 });
  t.is(publication.underWay, 0);
});

test('what a topic does not take any more is counted, and what it would have cost is not under way', async (t) => {
  const { publication, got, accounting } = world(2);
  t.is(publication.publish(of(messages('a', 'b', 'c'), 30), null), 1);
  t.deepEqual(lost(accounting), { count: 1, unheard: 0, refused: 1 });
  t.is(publication.underWay, 0, 'the last one was refused');
  t.is((await got()).length, 2);
});

test('a link is not read from the limit on, and is read again from half of it on', (t) => {
  const { publication } = world(100);
  publication.publish(of(messages('a'), MOST - 64 - 1), null);
  t.false(publication.isFull);
  publication.publish(of(messages('a'), 1), null);
  t.true(publication.isFull);
  t.false(publication.arrived(MOST / 2 + 63), 'one byte more than half');
  t.true(publication.isFull);
  t.true(publication.arrived(1));
  t.false(publication.isFull);
  t.false(publication.arrived(1), 'and only once');
});
