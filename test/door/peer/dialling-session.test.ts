import test from 'ava';
import { encodePeerFrame, type PeerFrame } from '../../../src/door/peer/codec.ts';
import type { DiallingSession } from '../../../src/door/peer/dialling-session.ts';
import { ReceivedCounts } from '../../../src/door/peer/dialling-session.ts';
import { NumberedOutbox } from '../../../src/door/peer/numbered-outbox.ts';
import { dialled, dialling, far, frameOf, introduce, near, nonce, numbers, said, TIMEOUT } from './peers.ts';

const NO_FRAME = { type: 'hang-up', why: 'not a frame of the protocol' } as const;
const challenge = { type: 'challenge', relay: far, nonce: nonce(2) } as const;

function linked(): DiallingSession {
  const session = dialling();
  introduce(session, dialled());
  return session;
}

test('the relay that dials proves first, and is linked once the other side has proved it, too', (t) => {
  const session = dialling();
  const other = dialled();
  t.like(session.hello('far', 7), { relay: near, of: '', last: 0, received: 0, epoch: 7 });
  const outbox = new NumberedOutbox();
  outbox.drop(4, 'unlinked');
  t.like(introduce(session, other, { outbox, taken: 3, epoch: 9 }), {
    type: 'linked',
    peer: far,
    missed: 0,
    taken: 3,
    epoch: 9,
  });
  t.is(session.phase, 'linked');
  t.deepEqual(session.via, { node: 'far', epoch: 9 });
});

test('another secret is no secret of the network', (t) => {
  const session = dialling();
  const mac = said(session.received(encodePeerFrame(challenge), 0));
  t.is(mac[0], 3);
  const welcome = { type: 'welcome', mac: Buffer.alloc(32), next: 1, epoch: 1, taken: 0 } as const;
  t.deepEqual(session.received(encodePeerFrame(welcome), 0), {
    type: 'hang-up',
    why: 'it does not know the secret of the network',
  });
});

test('who dials itself, or a relay that it is linked to, does not need the link', (t) => {
  t.deepEqual(dialling().received(encodePeerFrame({ ...challenge, relay: near }), 0), {
    type: 'needless',
    why: 'far:1 is this relay itself',
    spareOf: null,
  });
  t.deepEqual(dialling({}, { linked: ['f1'] }).received(encodePeerFrame(challenge), 0), {
    type: 'needless',
    why: 'far:1 is another address of far',
    spareOf: 'f1',
  });
  const list: string[] = [];
  const session = dialling({}, { linked: list });
  const other = dialled();
  const proof = said(session.received(said(other.greeted(encodePeerFrame(session.hello(null, 1)))), 0));
  t.is(other.greeted(proof).type, 'proved');
  list.push('f1');
  t.like(session.received(encodePeerFrame(other.welcome(new NumberedOutbox(), 0, 1, 0)), 0), {
    spareOf: 'f1',
  });
  t.is(session.phase, 'challenged', 'another address was faster');
});

test('one that refuses says why; this relay itself is no trouble', (t) => {
  const refuse = (why: 'self' | 'proof') => encodePeerFrame({ type: 'refuse', why, text: 'so it is' });
  t.deepEqual(dialling().received(refuse('self'), 0), { type: 'needless', why: 'so it is', spareOf: null });
  t.deepEqual(dialling().received(refuse('proof'), 0), { type: 'hang-up', why: 'refused: so it is' });
  t.deepEqual(linked().received(refuse('proof'), 0), { type: 'hang-up', why: 'refused: so it is' });
});

const welcome = { type: 'welcome', mac: Buffer.alloc(32), next: 1, epoch: 1, taken: 0 } as const;
const hello = { type: 'hello', relay: far, nonce: nonce(2), of: '', last: 0, received: 0, epoch: 0 } as const;
const claims = { type: 'claims', ref: 0, begin: true, end: true, claims: [] } as const;
const inLink: readonly PeerFrame[] = [
  { type: 'epoch', epoch: 2 },
  { type: 'heartbeat', last: 0, received: 0 },
  { type: 'confirm', version: 1 },
  { type: 'verdict', ref: 1, granted: true },
];

for (const [phase, begin, frames] of [
  ['before a challenge', () => dialling(), [welcome, hello, claims, ...inLink]],
  [
    'before a welcome',
    () => {
      const session = dialling();
      session.received(encodePeerFrame(challenge), 0);
      return session;
    },
    [challenge, hello, claims, ...inLink],
  ],
  ['once linked', linked, [challenge, welcome, hello, claims]],
] as const) {
  for (const frame of frames)
    test(`${frame.type} ${phase} is out of turn`, (t) =>
      t.deepEqual(begin().received(encodePeerFrame(frame), 0), NO_FRAME));
  test(`garbage ${phase} is no frame`, (t) => t.deepEqual(begin().received(Buffer.from([99]), 0), NO_FRAME));
}

test('messages before the welcome, and messages that are cut short, are no frame', (t) => {
  const messages = frameOf(1, [numbers([1])]);
  t.deepEqual(dialling().received(messages, 0), NO_FRAME);
  t.deepEqual(linked().received(messages.subarray(0, -1), 0), NO_FRAME);
});

test('a challenge without a whole nonce is no frame', (t) => {
  t.deepEqual(
    dialling().received(encodePeerFrame({ ...challenge, nonce: nonce(2).subarray(1) }), 0),
    NO_FRAME,
  );
});

test('numbers that are left out are lost, and those that were there before end the link', (t) => {
  const counts = new ReceivedCounts('f1', 0);
  const session = dialling({}, { counts: new Map([['far', counts]]) });
  introduce(session, dialled());
  t.like(session.received(frameOf(3, [numbers([3, 4]), numbers([5])]), 0), { type: 'messages', first: 3 });
  session.take(2);
  t.is(counts.received, 2, 'as far as they were handed on');
  session.take(1);
  t.deepEqual([counts.last, counts.received, counts.lost], [5, 3, 2]);
  t.deepEqual(session.received(frameOf(5, [numbers([5])]), 0), {
    type: 'hang-up',
    why: 'a number came twice',
  });
  t.deepEqual([counts.last, counts.received, counts.lost], [5, 3, 2]);
});

test('a heartbeat tells of losses at the end, and what it tells is never taken back', (t) => {
  const counts = new ReceivedCounts('f1', 0);
  const session = dialling({}, { counts: new Map([['far', counts]]) });
  introduce(session, dialled());
  t.deepEqual(session.received(encodePeerFrame({ type: 'heartbeat', last: 9, received: 4 }), 0), {
    type: 'taken',
    count: 4,
  });
  session.received(encodePeerFrame({ type: 'heartbeat', last: 8, received: 4 }), 0);
  t.is(counts.last, 9);
  t.like(session.tick(1, true, 0), { frame: { type: 'heartbeat', last: 9, received: 0 } });
});

test('a link made again says what was missed since; one that is served afresh counts from the beginning', (t) => {
  const before = new ReceivedCounts('f1', 10);
  before.told(12);
  const outbox = new NumberedOutbox();
  outbox.drop(15, 'unlinked');
  const counts = new Map([['far', before]]);
  const session = dialling({}, { counts });
  t.like(session.hello('far', 1), { of: 'f1', last: 12, received: 10 });
  t.like(introduce(session, dialled(), { outbox }), { missed: 3, counts: before });
  t.is(before.lost, 5);
  for (const [what, self, next] of [
    ['started anew', { ...far, incarnation: 'f2' }, 1],
    ['forgetful', far, 4],
  ] as const) {
    const fresh = new NumberedOutbox();
    fresh.drop(next - 1, 'unlinked');
    const again = dialling({}, { counts });
    const other = dialled({ self });
    // Nobody has told it of the counts of before.
    const proof = said(again.received(said(other.greeted(encodePeerFrame(again.hello(null, 1)))), 0));
    other.greeted(proof);
    const command = again.received(encodePeerFrame(other.welcome(fresh, 0, 1, 0)), 0);
    t.is(command?.type === 'linked' ? command.missed : -1, 0, what);
    t.is(command?.type === 'linked' ? command.counts.last : -1, next - 1, what);
  }
});

test('an epoch is of what follows', (t) => {
  const session = linked();
  t.deepEqual(session.received(encodePeerFrame({ type: 'epoch', epoch: 5 }), 0), { type: 'epoch', epoch: 5 });
  t.deepEqual(session.via, { node: 'far', epoch: 5 });
});

test('the other side is silent after the timeout, and not before', (t) => {
  const session = linked();
  t.is(session.tick(100, true, 0)?.type, 'beat');
  t.is(session.tick(100, true, TIMEOUT - 1)?.type, 'beat');
  t.deepEqual(session.tick(100, true, TIMEOUT), { type: 'hang-up', why: 'silent' });
  t.is(session.tick(101, true, 2 * TIMEOUT)?.type, 'beat', 'a byte will do');
});

test('while the connection is not read nobody is silent, and it has the whole time afterwards', (t) => {
  const session = linked();
  session.tick(100, true, 0);
  t.is(session.tick(100, false, 10 * TIMEOUT)?.type, 'beat');
  session.resumed(20 * TIMEOUT);
  t.is(session.tick(100, true, 21 * TIMEOUT - 1)?.type, 'beat');
  t.is(session.tick(100, true, 21 * TIMEOUT)?.type, 'hang-up');
});

test('one ping is under way at a time, and its answer is the round trip', (t) => {
  const session = linked();
  t.like(session.tick(1, true, 100), { ping: true });
  t.like(session.tick(2, true, 200), { ping: false });
  t.is(session.unanswered(240), 140);
  t.is(session.ponged(250), 150);
  t.is(session.ponged(260), null, 'nobody has asked');
  t.is(session.unanswered(260), null);
  t.like(session.tick(3, true, 300), { ping: true });
});

test('who is not linked has no heartbeat', (t) => {
  t.is(dialling().tick(0, true, 10 * TIMEOUT), null);
});

test('what the other relay tells of itself is handed on when it is linked, and is no frame before, or of version 1', (t) => {
  const frame = encodePeerFrame({ type: 'vitals', text: '{}' }, 2);
  const session = dialling();
  session.hello('far', 1, 2);
  t.deepEqual(session.received(frame, 0), NO_FRAME);
  t.deepEqual(linked().received(frame, 0), NO_FRAME);
  const second = linked();
  second.version = 2;
  t.deepEqual(second.received(frame, 0), { type: 'vitals', text: '{}' });
});
