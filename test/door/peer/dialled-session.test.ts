import test from 'ava';
import { forwardedFrame } from '../../../src/door/peer/batch.ts';
import { encodePeerFrame, type PeerFrame, type Relay } from '../../../src/door/peer/codec.ts';
import type { DialledSession, Greeting } from '../../../src/door/peer/dialled-session.ts';
import { NumberedOutbox } from '../../../src/door/peer/numbered-outbox.ts';
import { prove } from '../../../src/door/peer/session.ts';
import { dialled, dialling, far, introduce, key, near, nonce, numbers, said, TIMEOUT } from './peers.ts';

const NO_FRAME = { type: 'hang-up', why: 'not a frame of the protocol' } as const;
const hello = {
  type: 'hello',
  relay: near,
  nonce: nonce(1),
  of: '',
  last: 0,
  received: 0,
  epoch: 4,
} as const;

function serving(outbox = new NumberedOutbox(), now = 0): DialledSession {
  const session = dialled();
  introduce(dialling(), session, { outbox, now });
  return session;
}

const claim = (name: string) => ({ realm: 'main', name, state: 'owned', since: 1, grace: 0 }) as const;

test('a relay that has proved to be of the network is to be welcomed', (t) => {
  const session = dialled();
  const one = dialling();
  t.is(session.peer, undefined);
  const challenge = said(session.greeted(encodePeerFrame(one.hello(null, 4))));
  t.is(session.peer, 'near');
  t.like(session.greeted(said(one.received(challenge, 0))), {
    type: 'proved',
    hello: { relay: near, epoch: 4 },
  });
});

for (const [what, first, frame] of [
  ['a proof before a hello', [], { type: 'proof', mac: nonce(0) }],
  ['a second hello', [hello], hello],
  ['a hello without a whole nonce', [], { ...hello, nonce: nonce(1).subarray(1) }],
  ['a hello without a name', [], { ...hello, relay: { ...near, node: '' } }],
  ['a heartbeat', [hello], { type: 'heartbeat', last: 0, received: 0 }],
  ['more than any handshake has', [], { ...hello, of: 'x'.repeat(2048) }],
] as const satisfies readonly (readonly [string, readonly PeerFrame[], PeerFrame])[]) {
  test(`${what} is no handshake`, (t) => {
    const session = dialled();
    for (const one of first) session.greeted(encodePeerFrame(one));
    t.deepEqual(session.greeted(encodePeerFrame(frame)), { type: 'hang-up' });
  });
}

test('a frame of a handshake has at most 2048 bytes', (t) => {
  const length = 2048 - encodePeerFrame(hello).length;
  t.is(dialled().greeted(encodePeerFrame({ ...hello, of: 'x'.repeat(length) })).type, 'say');
  t.is(dialled().greeted(encodePeerFrame({ ...hello, of: 'x'.repeat(length + 1) })).type, 'hang-up');
});

test('an address that is not let in is refused before a challenge', (t) => {
  t.deepEqual(dialled({ stranger: 'no' }).greeted(encodePeerFrame(hello)), {
    type: 'refuse',
    why: 'address',
    text: 'no',
  });
});

/** What a session that was told the hello says to the proof of a relay, made with that key and for that nonce. */
function provedBy(
  relay: Relay,
  given: { readonly key?: Buffer; readonly dialledNonce?: Buffer } = {},
): Greeting {
  const session = dialled();
  session.greeted(encodePeerFrame({ ...hello, relay }));
  const handshake = {
    dialling: relay,
    dialled: far,
    diallingNonce: nonce(1),
    dialledNonce: nonce(2),
    ...given,
  };
  return session.greeted(
    encodePeerFrame({ type: 'proof', mac: prove(given.key ?? key, 'dialling', handshake) }),
  );
}

test('who knows another secret, has heard the proof elsewhere, or claims to be the relay that was dialled, is refused', (t) => {
  t.is(provedBy(near).type, 'proved');
  t.like(provedBy(near, { key: Buffer.from('another') }), { type: 'refuse', why: 'proof' });
  t.like(provedBy(near, { dialledNonce: nonce(3) }), { type: 'refuse', why: 'proof' });
  t.like(provedBy(far), { type: 'refuse', why: 'self' });
  t.like(provedBy({ node: 'far', incarnation: 'another' }), { type: 'refuse', why: 'name-taken' });
});

test('nobody is welcome who has proved nothing', (t) => {
  const session = dialled();
  session.greeted(encodePeerFrame(hello));
  t.throws(() => session.welcome(new NumberedOutbox(), 0, 1, 0), { message: 'nothing is proved' });
});

test('numbers that are forgotten here go on where the other side left off; those of another start do not count', (t) => {
  for (const [of, last, next, lost] of [
    ['f1', 9, 10, 3],
    ['f0', 9, 1, 0],
  ] as const) {
    const session = dialled();
    const outbox = new NumberedOutbox();
    const one = dialling();
    const challenge = said(session.greeted(encodePeerFrame({ ...hello, of, last, received: 6 })));
    session.greeted(said(one.received(challenge, 0)));
    t.like(session.welcome(outbox, 5, 2, 0), { next, epoch: 2, taken: 5 });
    t.is(outbox.lost, lost);
  }
});

test('a heartbeat tells what the other side has missed; one of numbers that were never given does not', (t) => {
  const outbox = new NumberedOutbox();
  const session = serving(outbox);
  outbox.drop(8, 'overflow');
  t.is(session.received(encodePeerFrame({ type: 'heartbeat', last: 8, received: 6 }), 0), null);
  t.is(outbox.lost, 2);
  session.received(encodePeerFrame({ type: 'heartbeat', last: 9, received: 0 }), 0);
  t.is(outbox.lost, 2);
});

test('the lag is that of the oldest number which the other side had not come to as it told', (t) => {
  const outbox = new NumberedOutbox();
  const session = serving(outbox);
  const told = (last: number, now: number) =>
    session.received(encodePeerFrame({ type: 'heartbeat', last, received: 0 }), now);
  outbox.drop(3, 'overflow');
  session.numbered(1000);
  t.is(session.lag(1500), 0, 'the other side has told nothing since');
  told(2, 1700);
  t.is(session.lag(2500), 700);
  told(3, 2700);
  t.is(session.lag(2800), 0);
});

test('its own heartbeat tells how far it is, before what waits', (t) => {
  const outbox = new NumberedOutbox();
  const session = serving(outbox);
  outbox.drop(2, 'overflow');
  outbox.push(numbers([3]), 1, 1);
  t.deepEqual(session.beat(7), { type: 'heartbeat', last: 2, received: 7 });
});

test('of forwarded messages it is told of at once that they were taken', (t) => {
  const session = serving();
  t.like(session.received(forwardedFrame(1, [numbers([1, 2])]), 0), { type: 'messages', first: 1 });
  t.false(session.isToTell(0));
  t.true(session.isToTell(2));
  session.beat(2);
  t.false(session.isToTell(2));
  t.true(session.isToTell(3));
});

test('an epoch is told before the first messages of it', (t) => {
  const session = serving();
  t.is(session.epoch(1), null, 'the welcome has told it');
  t.deepEqual(session.epoch(2), { type: 'epoch', epoch: 2 });
  t.is(session.epoch(2), null);
});

test('claims that come in pieces are put together; those that come alone are as they are', (t) => {
  const session = serving();
  const say = (ref: number, begin: boolean, end: boolean, ...names: readonly string[]) =>
    session.received(encodePeerFrame({ type: 'claims', ref, begin, end, claims: names.map(claim) }), 0);
  t.deepEqual(say(5, false, false, 'a'), { type: 'claims', ref: 5, all: false, claims: [claim('a')] });
  t.is(say(0, true, false, 'a', 'b'), null);
  t.is(say(0, false, false, 'c'), null);
  t.deepEqual(say(0, false, true), { type: 'claims', ref: 0, all: true, claims: ['a', 'b', 'c'].map(claim) });
  t.deepEqual(say(0, true, true, 'd'), { type: 'claims', ref: 0, all: true, claims: [claim('d')] });
});

test('a list of very many claims is put together', (t) => {
  const session = serving();
  const claims = Array.from({ length: 150_000 }, () => claim('a'));
  t.is(
    session.received(encodePeerFrame({ type: 'claims', ref: 0, begin: true, end: false, claims }), 0),
    null,
  );
  const all = session.received(
    encodePeerFrame({ type: 'claims', ref: 0, begin: false, end: true, claims: [] }),
    0,
  );
  t.is(all?.type === 'claims' ? all.claims.length : 0, 150_000);
});

test('what a relay that is served may not say ends the connection', (t) => {
  for (const frame of [
    hello,
    { type: 'epoch', epoch: 1 },
    { type: 'refuse', why: 'busy', text: '' },
  ] as const)
    t.deepEqual(serving().received(encodePeerFrame(frame), 0), NO_FRAME);
  t.deepEqual(serving().received(Buffer.from([99]), 0), NO_FRAME);
  t.deepEqual(serving().received(forwardedFrame(0, [numbers([1])]).subarray(0, -1), 0), NO_FRAME);
});

test('the other side is silent after the timeout, and not while it is not read', (t) => {
  const session = serving();
  t.true(session.tick(100, true, 0));
  t.true(session.tick(100, true, TIMEOUT - 1));
  t.false(session.tick(100, true, TIMEOUT));
  t.true(session.tick(100, false, 9 * TIMEOUT));
  session.resumed(10 * TIMEOUT);
  t.true(session.tick(100, true, 11 * TIMEOUT - 1));
  t.false(session.tick(100, true, 11 * TIMEOUT));
});

test('what the other relay tells of itself is handed on, and is no frame of version 1', (t) => {
  const frame = encodePeerFrame({ type: 'vitals', text: '{}' }, 2);
  t.deepEqual(dialled({ version: 2 }).received(frame, 0), { type: 'vitals', text: '{}' });
  t.like(dialled({ version: 1 }).received(frame, 0), { type: 'hang-up' });
});
