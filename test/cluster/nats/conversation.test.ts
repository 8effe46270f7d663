import test from 'ava';
import { Conversation, type ConversationEffect } from '../../../src/cluster/nats/conversation.ts';
import {
  claimsFrames,
  encodePeerFrame,
  type PeerClaim,
  type PeerFrame,
} from '../../../src/door/peer/codec.ts';

const HELLO = null;
const alive: PeerFrame = { type: 'heartbeat', last: 0, received: 0 };

/** What relay `me` is told by others, on a connection that was made at 0. */
function world(namesakes = new Set<string>()) {
  const conversation = new Conversation({ node: 'me', incarnation: 'm' }, namesakes, 0);
  const heard = (node: string, frame: PeerFrame | null = alive, time = 0, incarnation = `${node}1`) =>
    conversation.heard({ node, incarnation }, frame === null ? null : encodePeerFrame(frame), time);
  const says = (node: string, ref: number, granted: boolean) =>
    heard(node, { type: 'verdict', ref, granted });
  return { conversation, heard, says };
}

const types = (effects: readonly ConversationEffect[]) => effects.map(({ type }) => type);
const judged = (ref: number, granted: boolean, ...nodes: string[]) => [
  { type: 'judged', ref, granted, nodes } as const,
];
const claim = (name: string): PeerClaim => ({ realm: 'main', name, state: 'owned', since: 1, grace: 2 });

test('a relay is new when it is first heard of, and when it has started anew; then it is told everything', (t) => {
  const { conversation, heard } = world();
  t.deepEqual(types(heard('a')), ['linked', 'tell-all']);
  t.deepEqual(types(heard('a')), []);
  t.deepEqual(types(heard('a', alive, 0, 'a2')), ['linked', 'tell-all']);
  t.deepEqual(types(heard('b', HELLO)), ['linked', 'tell-all']);
  t.deepEqual(conversation.nodes, ['a', 'b']);
});

test('a relay that is known and asks for everything is told it', (t) => {
  const { heard } = world();
  heard('a');
  t.deepEqual(types(heard('a', HELLO)), ['tell-all']);
});

test('a relay is silent at its timeout, and new when it is heard again', (t) => {
  const { conversation, heard } = world();
  heard('a', alive, 0);
  heard('b', alive, 1);
  t.deepEqual(conversation.silent(999, 1000), []);
  t.deepEqual(conversation.silent(1000, 1000), [{ type: 'unlinked', node: 'a' }]);
  t.deepEqual(conversation.nodes, ['b']);
  t.deepEqual(types(heard('a', alive, 1001)).slice(0, 2), ['linked', 'tell-all']);
});

test('a relay that comes back is asked for all its claims, but for one that says hello, or was said hello to just now', (t) => {
  const { conversation, heard } = world();
  t.deepEqual(types(heard('a', alive, 249)), ['linked', 'tell-all'], 'it is answering to the hello');
  conversation.silent(1249, 1000);
  t.deepEqual(heard('a', alive, 1249), [
    { type: 'linked', node: 'a' },
    { type: 'tell-all' },
    { type: 'ask-all', incarnation: 'a1' },
  ]);
  t.deepEqual(types(heard('a', alive, 1249)), []);
  conversation.silent(2249, 1000);
  t.deepEqual(types(heard('a', HELLO, 2249)), ['linked', 'tell-all']);
  t.deepEqual(types(heard('b', alive, 250)), ['linked', 'tell-all', 'ask-all'], 'its hello was not heard');
});

test('nobody is heard once the connection has ended, and no claim is granted by what comes late', (t) => {
  const { conversation, heard, says } = world();
  heard('a');
  heard('b');
  conversation.ask(1, 250);
  t.deepEqual(conversation.end(), [
    { type: 'unlinked', node: 'a' },
    { type: 'unlinked', node: 'b' },
  ]);
  t.deepEqual(conversation.nodes, []);
  t.deepEqual(types(says('a', 1, true)), ['linked', 'tell-all']);
  t.deepEqual(conversation.askedEnough(1), []);
});

test('a claim is granted when all have granted it, and refused by one', (t) => {
  const { conversation, heard, says } = world();
  heard('a');
  heard('b');
  t.deepEqual(conversation.ask(1, 250), []);
  t.deepEqual(says('a', 1, true), []);
  t.deepEqual(says('b', 1, true), judged(1, true, 'a', 'b'));
  t.deepEqual(says('b', 1, true), []);
  t.deepEqual(conversation.askedEnough(1), []);
  conversation.ask(2, 250);
  t.deepEqual(says('b', 2, false), judged(2, false));
  t.deepEqual(says('a', 2, true), []);
  t.deepEqual(conversation.askedEnough(2), []);
  t.deepEqual(says('a', 2, false), judged(2, false), 'however late: it is owned there');
});

test('a relay that has not answered in time has granted nothing', (t) => {
  const { conversation, heard, says } = world();
  heard('a');
  heard('b');
  conversation.ask(1, 250);
  says('b', 1, true);
  t.deepEqual(conversation.askedEnough(1), judged(1, true, 'b'));
});

test('where nobody else is known, a claim is granted at once, but not before it is settled who is there', (t) => {
  const { conversation, heard, says } = world();
  t.deepEqual(conversation.ask(1, 250), judged(1, true));
  t.deepEqual(conversation.ask(2, 249), []);
  heard('a');
  t.deepEqual(says('a', 2, true), []);
  t.deepEqual(conversation.askedEnough(2), judged(2, true, 'a'));
  conversation.ask(3, 249);
  t.deepEqual(says('a', 3, false), judged(3, false));
});

test('claims that are listed in pieces are announced as one list, with what is said in between', (t) => {
  const { heard } = world();
  heard('a');
  const long = Array.from({ length: 300 }, (_, index) => claim(`${index}`.padEnd(500, '-')));
  const pieces = claimsFrames({ ref: 0, all: true, claims: long });
  const last = pieces.at(-1) as PeerFrame;
  t.true(pieces.length > 2);
  for (const piece of pieces.slice(0, -1)) t.deepEqual(heard('a', piece), []);
  const [between] = claimsFrames({ ref: 0, all: false, claims: [claim('new')] });
  t.deepEqual(heard('a', between), []);
  const [list] = heard('a', last);
  t.like(list, { type: 'announced', node: 'a', all: true, ask: null });
  const names = list?.type === 'announced' ? list.claims.map(({ name }) => name) : [];
  t.is(names.length, 301);
  t.true(names.includes('new'));
  t.is(names.at(-1), long.at(-1)?.name);
});

test('a claim that asks is announced at once, be it between the pieces of a list', (t) => {
  const { heard } = world();
  heard('a');
  heard('a', { type: 'claims', ref: 0, begin: true, end: false, claims: [claim('x')] });
  t.deepEqual(heard('a', { type: 'claims', ref: 7, begin: false, end: false, claims: [claim('y')] }), [
    {
      type: 'announced',
      node: 'a',
      all: false,
      claims: [claim('y')],
      ask: { incarnation: 'a1', ref: 7 },
    },
  ]);
});

test('another relay of the same name is named once for each of its starts, whatever the connection, and not heard', (t) => {
  const namesakes = new Set<string>();
  const first = world(namesakes);
  t.deepEqual(first.heard('me'), [{ type: 'name-taken', node: 'me' }]);
  t.deepEqual(first.heard('me', HELLO), []);
  t.deepEqual(types(first.heard('me', alive, 0, 'later')), ['name-taken']);
  t.deepEqual(first.conversation.nodes, []);
  t.deepEqual(world(namesakes).heard('me'), []);
});

test('what is no frame between relays is foreign, and whoever sends it is there', (t) => {
  const { conversation, heard } = world();
  t.deepEqual(types(conversation.heard({ node: 'a', incarnation: 'a1' }, Buffer.from('garbage'), 0)), [
    'linked',
    'tell-all',
    'foreign',
  ]);
  t.deepEqual(types(heard('a', { type: 'confirm', version: 1 })), ['foreign']);
});
