import test from 'ava';
import { topicsWorld } from './topics-world.ts';

const owned = { while: 'owned' } as const;

test('a topic that nobody owns cannot be joined by one who wants an owner', async (t) => {
  const { member, join, quiet, topics } = topicsWorld();
  const [a, b] = [member(), member()];
  join(a, 't', owned);
  await quiet();
  t.deepEqual(a.told, ['refused join t missing']);
  t.deepEqual([...topics.all()], []);
  join(b, 't');
  await quiet();
  join(a, 't', owned);
  await quiet();
  t.deepEqual(a.told, ['refused join t missing', 'refused join t missing']);
});

test('an owner alone publishes, and gets nothing delivered', async (t) => {
  const { member, join, claim, publish, quiet, accounting } = topicsWorld();
  const [owner, sub, other] = [member(), member(), member()];
  claim(owner, 't');
  await quiet();
  join(sub, 't', owned);
  await quiet();
  t.true(publish(other, 't', 'no', 10));
  t.true(publish(owner, 't', 'yes', 5));
  await quiet();
  t.deepEqual(owner.told, ['claimed t']);
  t.deepEqual(owner.heard, []);
  t.deepEqual(sub.heard, ['yes']);
  t.deepEqual(other.told, ['refused publish t owned']);
  t.is(other.credit, 10);
  t.is(owner.credit, 5);
  t.is(accounting.messages, 2);
  t.is(accounting.lost.refused, 1);
});

test('a topic has one owner at a time', async (t) => {
  const { member, claim, quiet } = topicsWorld();
  const [a, b] = [member(), member()];
  claim(a, 't');
  claim(b, 't');
  await quiet();
  t.deepEqual(a.told, ['claimed t']);
  t.deepEqual(b.told, ['refused claim t owned']);
});

test('an owned topic outlives its owner by its grace and not a millisecond more', async (t) => {
  const { member, join, claim, quiet, end, advance, topics } = topicsWorld();
  const [owner, sub] = [member(), member()];
  claim(owner, 't', 1000);
  await quiet();
  join(sub, 't', owned);
  await quiet();
  end(owner);
  await quiet();
  await advance(999);
  t.deepEqual(sub.told, ['joined t']);
  await advance(1);
  t.deepEqual(sub.told, ['joined t', 'ended t']);
  t.deepEqual([...topics.all()], []);
});

test('a topic that another owner takes over within the grace goes on, and the old timer ends nothing', async (t) => {
  const { member, join, claim, publish, quiet, end, advance } = topicsWorld();
  const [first, second, sub] = [member(), member(), member()];
  claim(first, 't', 1000);
  await quiet();
  join(sub, 't', owned);
  end(first);
  await quiet();
  await advance(500);
  claim(second, 't', 1000);
  await quiet();
  await advance(5000);
  publish(second, 't', 'still here');
  await quiet();
  t.deepEqual(sub.told, ['joined t']);
  t.deepEqual(sub.heard, ['still here']);
  end(second);
  await quiet();
  await advance(999);
  t.deepEqual(sub.told, ['joined t']);
  await advance(1);
  t.deepEqual(sub.told, ['joined t', 'ended t']);
});

test('who did not ask for an owner stays when the topic ends, and may publish then', async (t) => {
  const { member, join, claim, publish, quiet, end, advance } = topicsWorld();
  const [owner, sub, free] = [member(), member(), member()];
  claim(owner, 't', 10);
  await quiet();
  join(sub, 't', owned);
  join(free, 't');
  end(owner);
  await quiet();
  publish(free, 't', 'in grace');
  await quiet();
  await advance(10);
  publish(free, 't', 'after');
  await quiet();
  t.deepEqual(free.told, ['joined t', 'refused publish t owned']);
  t.deepEqual(free.heard, ['after']);
  t.deepEqual(sub.told, ['joined t', 'ended t']);
});

for (const [when, crashed] of [
  ['owned', 'before the owner leaves'],
  ['grace', 'in the time of grace'],
] as const) {
  test(`a server that crashes ${crashed} keeps the owner's grace`, async (t) => {
    const { member, join, claim, quiet, end, advance, topic, kill } = topicsWorld();
    const [owner, sub] = [member(), member()];
    claim(owner, 't', 1000);
    await quiet();
    join(sub, 't', owned);
    await quiet();
    const crash = async () => {
      kill(topic('t').server as never);
      await quiet();
    };
    if (when === 'owned') await crash();
    end(owner);
    await quiet();
    await advance(400);
    if (when === 'grace') await crash();
    await advance(599);
    t.deepEqual(sub.told, ['joined t']);
    await advance(1);
    t.deepEqual(sub.told, ['joined t', 'ended t']);
  });
}
