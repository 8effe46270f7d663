import test, { type ExecutionContext } from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { eventually } from '../support/arrivals.ts';
import { allKnow } from '../support/confirmed.ts';
import {
  type FanfareClient,
  type Frame,
  fanfareClient,
  publish,
  subscribe,
} from '../support/fanfare-client.ts';
import { cutServed, pairOfRelays } from '../support/pair-of-relays.ts';
import { isBalanced, type TestRelay } from '../support/relay.ts';

const settings = (ordering: 'cluster' | 'relay') => ({
  topics: [{ pattern: 'c*', ordering, history: true }],
  doors: { pusu: {} },
});
/** A topic that the relay of that name gives its order. */
const topicAt = (home: string) =>
  Array.from({ length: 100 }, (_, index) => `c${index}`).find(
    (topic) => homeOf(`main\0${topic}`, ['n0', 'n1']) === home,
  ) ?? '';

/** Two relays that are linked, or parted. */
async function pair(t: ExecutionContext, ordering: 'cluster' | 'relay' = 'cluster') {
  const network = await pairOfRelays(t, settings(ordering));
  await network.link();
  const [home, far] = network.relays;
  const balanced = () =>
    eventually(() => network.relays.every(({ accounting }) => isBalanced(accounting)), 'balanced books');
  return { ...network, home, far, balanced };
}

function withoutPings(client: FanfareClient): FanfareClient {
  const hear = async (): Promise<Frame> => {
    const frame = await client.hear();
    return frame['type'] === 'ping' ? hear() : frame;
  };
  const take = async (count: number) => {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await hear());
    return frames;
  };
  return { ...client, hear, take };
}

/** A member of the topic, who has been let in. */
async function member(t: ExecutionContext, relay: TestRelay, topic: string, since?: string) {
  const client = withoutPings(await fanfareClient(t, relay));
  client.say(subscribe(topic, since));
  const answer = await client.hear();
  t.is(answer['type'], 'subscribe_ok');
  return { ...client, answer };
}

async function publishAll(
  publisher: FanfareClient,
  topic: string,
  contents: readonly number[],
): Promise<readonly Frame[]> {
  for (const content of contents) publisher.say(publish(topic, content, { id: content }));
  const answers: Frame[] = [];
  while (answers.length < contents.length) {
    const answer = await publisher.hear();
    if (answer['type'] === 'publish_ok') answers.push(answer);
  }
  return answers;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const contents = (frames: readonly Frame[]) => frames.map(({ content }) => content);
const at = (frames: readonly Frame[]) => frames.map((frame) => String(frame['at']));

test('positions are the same at every relay, and who was cut off at one resumes at the other', async (t) => {
  const { home, far, balanced } = await pair(t);
  const topic = topicAt('n0');
  const near = await member(t, home, topic);
  const away = await member(t, far, topic);
  t.regex(String(near.answer['at']), /:0$/);
  t.is(away.answer['at'], near.answer['at']);
  const publisher = await fanfareClient(t, far);
  await publishAll(publisher, topic, range(1, 5));
  const [first, second] = [await near.take(5), await away.take(5)];
  t.deepEqual(contents(first), range(1, 5));
  t.deepEqual(second, first);
  for (const relay of [home, far])
    for (const [index, position] of [String(near.answer['at']), ...at(first)].entries()) {
      const back = await member(t, relay, topic, position);
      // A position of before the first message is told in the epoch that this has begun.
      const told = index === 0 ? at(first)[0]?.replace(/:1$/, ':0') : position;
      t.like(back.answer, { at: told, recovered: true });
      t.deepEqual(contents(await back.take(5 - index)), range(index + 1, 5));
    }
  await balanced();
});

test('a relay where nobody was asks the home for what was published before, and answers from it', async (t) => {
  const { home, far, balanced } = await pair(t);
  const topic = topicAt('n0');
  const publisher = await fanfareClient(t, home);
  const positions = at(await publishAll(publisher, topic, range(1, 7)));
  const back = await member(t, far, topic, positions[1] ?? '');
  t.like(back.answer, { at: positions[1], until: positions[6], recovered: true });
  t.deepEqual(contents(await back.take(5)), range(3, 7));
  await publishAll(publisher, topic, [8]);
  t.deepEqual(contents(await back.take(1)), [8]);
  const all = await fanfareClient(t, far);
  all.say(subscribe(topic, 'all'));
  t.is((await all.hear())['type'], 'subscribe_ok');
  t.deepEqual(contents(await all.take(8)), range(1, 8));
  await balanced();
});

test('a topic that everybody has left is started again with what is kept of it, at every relay', async (t) => {
  const { home, far, relays, balanced } = await pair(t);
  const topic = topicAt('n0');
  for (let round = 0; round < 3; round++) {
    const members = [await member(t, home, topic), await member(t, far, topic)];
    const publisher = withoutPings(await fanfareClient(t, far));
    const numbers = range(round * 10, round * 10 + 9);
    for (const number of numbers) await publishAll(publisher, topic, [number]);
    for (const one of members) t.deepEqual(contents(await one.take(10)), numbers);
    for (const { ws } of [...members, publisher]) ws.webSocket.close();
    await eventually(
      () => relays.every(({ relay }) => [...relay.topics.all()].length === 0),
      'the topic has ended',
    );
  }
  await balanced();
});

test('a link that is cut for a moment makes no second order: what is published at either side meanwhile comes to all', async (t) => {
  const { home, far, relays, balanced } = await pair(t);
  const topic = topicAt('n0');
  const [near, away] = [await member(t, home, topic), await member(t, far, topic)];
  const publishers = [
    withoutPings(await fanfareClient(t, home)),
    withoutPings(await fanfareClient(t, far)),
  ] as const;
  for (let round = 0; round < 5; round++) {
    const links = () => relays.map(({ relay }) => relay.backplane?.network.inbound.linkedAt ?? 0);
    const before = links();
    for (const relay of relays) cutServed(relay);
    // What is sent into a link that is broken without its relay's knowing is unavailable.
    const areCut = () =>
      relays.every(({ relay }, i) => {
        const size = relay.backplane?.network.inbound.size;
        return size === 0 || links()[i] !== before[i];
      });
    await eventually(areCut, 'both know that they are cut');
    const [here, there] = [range(round * 10, round * 10 + 4), range(round * 10 + 5, round * 10 + 9)];
    await Promise.all([publishAll(publishers[0], topic, here), publishAll(publishers[1], topic, there)]);
    const heard = await Promise.all([near, away].map((one) => one.take(10)));
    t.deepEqual(heard[0], heard[1]);
    t.deepEqual(contents(heard[0] as Frame[]).toSorted(), [...here, ...there].toSorted());
    const own = (numbers: readonly number[]) =>
      contents(heard[0] as Frame[]).filter((content) => numbers.includes(content as number));
    t.deepEqual([own(here), own(there)], [here, there], 'each publisher in its order');
  }
  await balanced();
});

test('what a link has missed while it was cut comes late, in order, once, to the members behind it', async (t) => {
  const { home, far, part, link, balanced } = await pair(t);
  const topic = topicAt('n0');
  const away = await member(t, far, topic);
  const publisher = await fanfareClient(t, home);
  await publishAll(publisher, topic, range(1, 3));
  await part();
  await publishAll(publisher, topic, range(4, 10));
  await link();
  await publishAll(publisher, topic, range(11, 12));
  const heard = await away.take(12);
  t.deepEqual(contents(heard), range(1, 12));
  t.deepEqual(new Set(heard.map(({ type }) => type)), new Set(['publish']));
  await balanced();
});

test('who joins behind a link that is down begins no line there: all that its home publishes comes late, and nobody is told of a gap', async (t) => {
  const { home, far, part, link, balanced } = await pair(t);
  const topic = topicAt('n0');
  const near = await member(t, home, topic);
  const away = await member(t, far, topic);
  const publisher = await fanfareClient(t, home);
  const [, last] = at(await publishAll(publisher, topic, range(1, 2)));
  await away.take(2);
  await part();
  const joining = await member(t, far, topic, last);
  t.like(joining.answer, { at: last, recovered: true });
  await publishAll(publisher, topic, range(3, 6));
  await link();
  await publishAll(publisher, topic, [7]);
  t.deepEqual(contents(await near.take(7)), range(1, 7));
  t.deepEqual(contents(await away.take(5)), range(3, 7));
  t.deepEqual(contents(await joining.take(5)), range(3, 7));
  await balanced();
});

test('both sides of a partition go on; when it heals, one line counts, and nobody on the other is told that nothing is missing', async (t) => {
  const { home, far, part, link, balanced } = await pair(t);
  const topic = topicAt('n0');
  const near = await member(t, home, topic);
  const away = await member(t, far, topic);
  const [here, there] = [await fanfareClient(t, home), await fanfareClient(t, far)];
  const [, common] = at(await publishAll(here, topic, [1, 2]));
  await away.take(2);
  await near.take(2);
  await part();
  const ours = at(await publishAll(here, topic, [10, 11, 12]));
  await publishAll(there, topic, [20, 21]);
  const theirs = at(await away.take(2));
  await link();
  await publishAll(here, topic, [30]);
  await eventually(() => away.ws.got.all.some((frame) => String(frame).includes('30')), 'it has come there');
  for (const relay of [home, far]) {
    // The line of the later epoch counts: that of the relay which took over in the partition.
    const good = await member(t, relay, topic, theirs[1] ?? '');
    t.like(good.answer, { recovered: true });
    t.deepEqual(contents(await good.take(1)), [30]);
    const fromBefore = await member(t, relay, topic, common);
    t.like(fromBefore.answer, { recovered: true });
    t.deepEqual(contents(await fromBefore.take(3)), [20, 21, 30]);
    const dead = await member(t, relay, topic, ours[1] ?? '');
    t.like(dead.answer, { recovered: false, why: 'restarted' });
  }
  const gap = await near.take(4);
  t.deepEqual(contents(gap.slice(0, 3)), [10, 11, 12]);
  t.like(gap[3], { type: 'gap', why: 'restarted', missed: null });
  await balanced();
});

test('where each relay has an order of its own, a link that has lost messages says so to members, and to who resumes', async (t) => {
  const { home, far, part, link, balanced } = await pair(t, 'relay');
  const away = await member(t, far, 'c');
  const publisher = await fanfareClient(t, home);
  await publishAll(publisher, 'c', [1]);
  const [first] = await away.take(1);
  await part();
  await publishAll(publisher, 'c', [2, 3]);
  await link();
  t.like(await away.hear(), { type: 'gap', missed: null, why: 'link' });
  await allKnow(t, home.port('pusu'));
  await publishAll(publisher, 'c', [4]);
  const latest = await away.hear();
  t.like(latest, { type: 'publish', content: 4 });
  const back = await member(t, far, 'c', String(first?.['at']));
  t.like(back.answer, { recovered: false, missed: null, why: 'link' });
  const good = await member(t, far, 'c', String(latest['at']));
  t.like(good.answer, { recovered: true });
  await balanced();
});

test('where each relay has an order of its own, a position of another relay is unknown', async (t) => {
  const { home, far, balanced } = await pair(t, 'relay');
  const near = await member(t, home, 'c');
  await member(t, far, 'c');
  const publisher = await fanfareClient(t, home);
  await publishAll(publisher, 'c', [1]);
  const [first] = await near.take(1);
  const back = await member(t, far, 'c', String(first?.['at']));
  t.like(back.answer, { recovered: false, missed: null });
  await balanced();
});

test('where each relay has an order of its own, what is published while nobody is there is kept for those who come back', async (t) => {
  const { home, far, balanced } = await pair(t, 'relay');
  const one = await member(t, far, 'c');
  const publisher = await fanfareClient(t, home);
  await publishAll(publisher, 'c', [1]);
  const [first] = await one.take(1);
  one.ws.webSocket.terminate();
  await far.closed();
  await publishAll(publisher, 'c', [2, 3]);
  const back = await member(t, far, 'c', String(first?.['at']));
  t.like(back.answer, { recovered: true });
  t.deepEqual(contents(await back.take(2)), [2, 3]);
  await balanced();
});
