import test from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import { Members } from '../../src/topic/members.ts';
import type { Delivery } from '../../src/topic/message.ts';
import { formatOf, numbering } from './topics-world.ts';

const red = formatOf('red');
const blue = formatOf('blue');
const [a, b, c, d] = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }] as const;

test('members of one format share a group, and the same name does not make the same format', (t) => {
  const members = new Members<Pid<Delivery>, number>();
  members.add(a, red, 1);
  members.add(b, blue, 2);
  members.add(c, red, 3);
  members.add(d, formatOf('red'), 4);
  t.deepEqual(
    members.groups.map((group) => [...group.members.keys()]),
    [[a, c], [b], [d]],
  );
  t.is(members.size, 4);
  t.deepEqual([...members.all()], [a, c, b, d]);
});

test('a member that is removed gives back what was kept for it, once', (t) => {
  const members = new Members<Pid<Delivery>, number>();
  members.add(a, red, 7);
  t.true(members.has(a));
  t.is(members.remove(a), 7);
  t.is(members.remove(a), undefined);
  t.false(members.has(a));
});

test('a group goes with its last member, and the others stay', (t) => {
  const members = new Members<Pid<Delivery>, number>();
  members.add(a, red, 1);
  members.add(b, blue, 2);
  members.remove(a);
  t.deepEqual(
    members.groups.map(({ format }) => format),
    [blue],
  );
  members.remove(b);
  t.is(members.groups.length, 0);
  t.is(members.size, 0);
});

test('refresh replaces what is kept for every member of every format', (t) => {
  const members = new Members<Pid<Delivery>, string>();
  members.add(a, red, 'old');
  members.add(b, blue, 'old');
  members.refresh(({ id }) => `new ${id}`);
  t.is(members.remove(a), 'new 1');
  t.is(members.remove(b), 'new 2');
});

test('those who stay only while the topic is owned are known, until they are removed', (t) => {
  const members = new Members<Pid<Delivery>, number>();
  members.add(a, red, 1, true);
  members.add(b, red, 2, false);
  members.add(c, blue, 3, true);
  t.deepEqual(members.whileOwned(), [a, c]);
  members.remove(a);
  t.deepEqual(members.whileOwned(), [c]);
});

test('gaps that follow each other before members are told of the first are one', (t) => {
  const members = new Members<Pid<Delivery>, number>();
  members.add(a, numbering('numbering'), 1);
  members.add(b, red, 2);
  const at = (offset: number) => ({ epoch: '1abcdef', offset });
  for (const group of members.groups) {
    group.owe({ from: at(1), to: at(3), missed: 2, why: 'restarted' });
    group.owe({ from: at(3), to: at(4), missed: 1, why: 'link' });
  }
  t.deepEqual(members.owedTo(a), { from: at(1), to: at(4), missed: 3, why: 'link' });
  t.is(members.owedTo(b), null, 'its format has no words for gaps');
  for (const group of members.groups) group.owe({ from: at(4), to: null, missed: null, why: 'link' });
  t.like(members.owedTo(a), { from: at(1), to: null, missed: null });
});
