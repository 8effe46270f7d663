import test from 'ava';
import { FanfareError, type State } from '../src/api.ts';
import { brief, heard, hello, newWorld, openWorld } from './support/world.ts';

const plain = { type: 'hello' };

test('it offers both protocols, and speaks the one of the greeting', async (t) => {
  const world = newWorld('http://relay');
  t.is(world.client.state, 'connecting');
  t.is(world.client.level, undefined);
  const socket = await world.socket();
  t.is(socket.url, 'ws://relay');
  t.deepEqual(socket.offered, ['pusu', 'fanfare.1']);
  socket.say(hello);
  t.is(world.client.state, 'open');
  t.is(world.client.level, 'fanfare.1');
  const older = await openWorld('ws://relay', {}, plain);
  t.is(older.client.level, 'pusu');
});

test('what is asked for before the connection is there is asked for then, once', async (t) => {
  const world = newWorld();
  const one = world.client.subscribe('a');
  const two = world.client.subscribe('a');
  const sent = world.client.publish('a', { n: 1 });
  const socket = await world.socket();
  t.deepEqual(socket.sent, []);
  socket.say(hello);
  t.deepEqual(socket.sent.splice(0), [
    { type: 'subscribe', channel: 'a' },
    { type: 'publish', channel: 'a', content: { n: 1 }, id: 1 },
  ]);
  const first = heard(one);
  const second = heard(two);
  socket.say({ type: 'subscribe_ok', channel: 'a' }, { type: 'publish', channel: 'a', content: 5 });
  socket.say({ type: 'publish_ok', id: 1, at: 'e:7' });
  await Promise.all([one.ready, two.ready]);
  t.is(await sent, 'e:7');
  t.deepEqual(first, [{ type: 'message', content: 5, replayed: false }]);
  t.deepEqual(second, first);
});

test('the waits before attempts are random parts of a growing bound, which begins again once a connection has lasted', async (t) => {
  const world = newWorld('ws://relay', { retry: { base: 100, cap: 1000 } });
  world.chance = 1;
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    const { length } = world.sockets;
    (await world.socket()).end();
    t.is(world.client.state, 'waiting');
    const since = world.clock.now();
    while (world.sockets.length === length || world.client.state === 'waiting') await world.advance(50);
    waits.push(world.clock.now() - since);
  }
  t.deepEqual(waits, [100, 200, 400, 800, 1000, 1000]);
  const socket = await world.socket();
  socket.say(hello);
  await world.advance(5000);
  socket.end();
  world.chance = 0;
  await world.advance(100);
  t.is(world.client.state, 'connecting');
});

test('after so many attempts in vain it is closed, and says why', async (t) => {
  const world = newWorld('ws://relay', { retry: { attempts: 2 } });
  const states: [State, string | undefined][] = [];
  world.client.on('state', (state, error) => states.push([state, error?.why]));
  const subscription = world.client.subscribe('a');
  for (let i = 0; i < 3; i++) {
    (await world.socket()).end();
    await world.advance(2000);
  }
  t.deepEqual(states, [
    ['waiting', 'disconnected'],
    ['connecting', undefined],
    ['waiting', 'disconnected'],
    ['connecting', undefined],
    ['closed', 'unreachable'],
  ]);
  await t.throwsAsync(subscription.ready, { instanceOf: FanfareError, message: /^unreachable/ });
  t.is(world.clock.pending, 0);
});

test('several URLs take turns', async (t) => {
  const world = newWorld(['ws://one', 'ws://two']);
  for (const _ of [1, 2]) {
    (await world.socket()).end();
    await world.advance(2000);
  }
  t.deepEqual(
    world.sockets.map(({ url }) => url),
    ['ws://one', 'ws://two', 'ws://one'],
  );
});

test('a URL may be asked for each time, and not to get one is a failure like another', async (t) => {
  let asked = 0;
  const world = newWorld(async () => {
    if (asked++ === 0) throw new Error('no name');
    return `ws://relay-${asked}`;
  });
  await world.advance(1000);
  t.deepEqual(
    world.sockets.map(({ url }) => url),
    ['ws://relay-2'],
  );
});

test('what can never be opened is not tried again', async (t) => {
  const world = newWorld('nonsense');
  world.fault = new SyntaxError('invalid URL');
  const subscription = world.client.subscribe('a');
  await t.throwsAsync(subscription.ready, { message: 'unreachable: invalid URL' });
  t.is(world.client.state, 'closed');
  t.is(world.clock.pending, 0);
});

for (const [code, reason] of [
  [1008, 'permission_denied'],
  [1008, 'unknown_message_received'],
  [1002, ''],
  [1007, ''],
  [1009, 'too big'],
] as const)
  test(`a close with ${code} ${reason} is for good`, async (t) => {
    const world = await openWorld();
    (await world.socket()).end(code, reason);
    t.is(world.client.state, 'closed');
    t.is(world.clock.pending, 0);
  });

for (const [code, reason] of [
  [1001, ''],
  [1006, ''],
  [1008, 'expired'],
  [1011, ''],
  [1013, 'slow'],
] as const)
  test(`after a close with ${code} ${reason} it comes back`, async (t) => {
    const world = await openWorld();
    (await world.socket()).end(code, reason);
    t.is(world.client.state, 'waiting');
  });

test('after a goodbye it waits a random part of the time that it was given', async (t) => {
  const world = await openWorld(['ws://one', 'ws://two']);
  const socket = await world.socket();
  world.chance = 0.5;
  socket.say({ type: 'goodbye', within: 20 });
  await world.advance(1000);
  socket.end(1001);
  await world.advance(8500);
  t.is(world.client.state, 'waiting');
  await world.advance(750);
  t.is((await world.socket()).url, 'ws://two');
});

test('a relay that has said goodbye and does not close is left', async (t) => {
  const world = await openWorld();
  (await world.socket()).say({ type: 'goodbye', within: 10 });
  await world.advance(5500);
  t.is(world.sockets.length, 2);
  t.is(world.sockets[0]?.isOpen, false);
});

// Liveness.

test('silence makes it ask, and no answer makes it leave, without waiting for the socket to close', async (t) => {
  const world = await openWorld('ws://relay', { silence: 10_000 });
  const socket = await world.socket();
  await world.advance(9_750);
  socket.say({ type: 'ping' });
  t.deepEqual(socket.sent.splice(0), [{ type: 'pong' }]);
  await world.advance(9_750);
  t.deepEqual(socket.sent, []);
  await world.advance(500);
  t.deepEqual(socket.sent.splice(0), [{ type: 'ping' }]);
  socket.say({ type: 'pong' });
  await world.advance(9_500);
  t.is(world.client.state, 'open');
  await world.advance(1000);
  t.deepEqual(socket.sent.splice(0), [{ type: 'ping' }]);
  await world.advance(2000);
  t.not(world.client.state, 'open');
  t.is(socket.isOpen, false);
  await world.advance(1000);
  t.is(world.sockets.length, 2);
  // What the old one still says is not heard.
  socket.isOpen = true;
  socket.say({ type: 'error', why: 'late' });
  t.is(world.client.state, 'connecting');
});

test('a machine that has slept asks at once, and is connected anew three seconds later', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  world.sleep(40_000);
  await world.advance(1000);
  t.deepEqual(socket.sent.splice(0), [{ type: 'ping' }]);
  await world.advance(2500);
  (await world.socket()).say(hello);
  t.is(world.client.state, 'open');
  t.is(world.sockets.length, 2);
});

test('what the machine had received before it slept does not count as an answer', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  world.sleep(40_000);
  await world.advance(1000);
  socket.say({ type: 'ping' });
  await world.advance(2250);
  t.not(world.client.state, 'open');
});

test('an answer that stands behind much else is waited for', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  world.wake?.();
  for (let i = 0; i < 20; i++) {
    await world.advance(500);
    socket.say({ type: 'publish', channel: 'a', content: i });
  }
  t.is(world.client.state, 'open');
  socket.say({ type: 'pong' });
  await world.advance(5000);
  t.is(world.client.state, 'open');
});

test('a page that comes back asks whether the relay is there, and does not wait for its next attempt', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  world.wake?.();
  world.wake?.();
  t.deepEqual(socket.sent.splice(0), [{ type: 'ping' }]);
  socket.say({ type: 'pong' });
  for (let i = 0; i < 8; i++) {
    (await world.socket()).end();
    world.chance = 1;
    await world.advance(20_000);
  }
  (await world.socket()).end();
  t.is(world.client.state, 'waiting');
  world.wake?.();
  await world.advance(500);
  t.is(world.client.state, 'connecting');
});

test('a page that is put away has no connection, and has one again when it is back', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  world.hide?.();
  t.is(world.client.state, 'idle');
  t.is(socket.isOpen, false);
  await t.throwsAsync(world.client.publish('a', 1), { message: 'offline' });
  await world.advance(60_000);
  t.is(world.sockets.length, 1);
  world.wake?.();
  await world.advance(500);
  (await world.socket()).say(hello);
  t.is(world.client.state, 'open');
});

test('a clock that is set back stops nothing', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  world.sleep(-3_600_000);
  await world.advance(1000);
  t.deepEqual(socket.sent.splice(0), [{ type: 'ping' }]);
  await world.advance(4000);
  t.is(world.sockets.length, 2);
});

test('a relay that accepts and does not greet is given up after ten seconds', async (t) => {
  const world = newWorld();
  await world.socket();
  await world.advance(11_000);
  t.is(world.sockets.length, 2);
});

test('with PuSu a repeated subscribe asks whether the relay is there, and changes nothing', async (t) => {
  const world = await openWorld('ws://relay', {}, plain);
  const socket = await world.socket();
  const events = heard(world.client.subscribe('a'));
  t.deepEqual(socket.sent.splice(0), [{ type: 'subscribe', channel: 'a' }]);
  socket.say({ type: 'subscribe_ok' });
  await world.advance(30_250);
  t.deepEqual(socket.sent.splice(0), [{ type: 'subscribe', channel: 'a' }]);
  socket.say({ type: 'subscribe_ok' });
  await world.advance(3000);
  t.is(world.client.state, 'open');
  socket.say({ type: 'publish', channel: 'a', content: 'x' });
  t.deepEqual(brief(events), ['x']);
  await world.advance(33_000);
  t.not(world.client.state, 'open');
});

// Tokens.

test('a token goes first, and nothing else before it was taken', async (t) => {
  const world = newWorld('ws://relay', { token: 'secret' });
  world.client.subscribe('a');
  const socket = await world.socket();
  socket.say(hello);
  t.deepEqual(socket.sent.splice(0), [{ type: 'authorize', authorization: 'secret' }]);
  await world.advance(250);
  t.is(world.client.state, 'connecting');
  socket.say({ type: 'authorization_ok' });
  t.is(world.client.state, 'open');
  t.deepEqual(socket.sent.splice(0), [{ type: 'subscribe', channel: 'a' }]);
});

test('a token that was refused is asked for once more, and then no more', async (t) => {
  const asked: string[] = [];
  const world = newWorld('ws://relay', {
    token: (why) => {
      asked.push(why);
      return `token ${asked.length}`;
    },
  });
  const socket = await world.socket();
  socket.say(hello);
  await world.advance(250);
  socket.say({ type: 'authorization_failed', why: 'refused' });
  await world.advance(250);
  t.deepEqual(
    socket.sent.map(({ authorization }) => authorization),
    ['token 1', 'token 2'],
  );
  socket.say({ type: 'authorization_failed', why: 'refused' });
  await world.advance(1000);
  t.deepEqual(asked, ['first', 'refused']);
  t.is(world.client.state, 'closed');
  t.is(world.sockets.length, 1);
});

test('with PuSu a refused token ends the connection, and the second one goes over the next', async (t) => {
  const asked: string[] = [];
  const token = (why: string) => {
    asked.push(why);
    return why;
  };
  const world = newWorld('ws://relay', { token });
  for (const _ of [1, 2]) {
    (await world.socket()).say(plain);
    await world.advance(250);
    (await world.socket()).say({ type: 'authorization_failed' });
    await world.advance(1000);
  }
  t.deepEqual(asked, ['first', 'refused']);
  t.is(world.client.state, 'closed');
});

test('a fixed token that was refused is for good; an authenticator that is away is not', async (t) => {
  const refused = newWorld('ws://relay', { token: 'old' });
  (await refused.socket()).say(hello, { type: 'authorization_failed', why: 'refused' });
  t.is(refused.client.state, 'closed');
  const away = newWorld('ws://relay', { token: 'old' });
  (await away.socket()).say(hello, { type: 'authorization_failed', why: 'unavailable' });
  t.is(away.client.state, 'waiting');
});

test('a token is renewed before it expires, on the same connection', async (t) => {
  const asked: string[] = [];
  const world = newWorld('ws://relay', { token: async (why) => `${asked.push(why)}` });
  const socket = await world.socket();
  socket.say(hello);
  await world.advance(250);
  socket.say({ type: 'authorization_ok', expires_in: 100 });
  world.client.subscribe('a');
  for (let left = 75_000; left > 0; left -= 1000) {
    await world.advance(1000);
    socket.say({ type: 'ping' });
  }
  t.deepEqual(asked, ['first']);
  for (let left = 10_000; left > 0; left -= 1000) {
    await world.advance(1000);
    socket.say({ type: 'ping' });
  }
  t.deepEqual(asked, ['first', 'expiring']);
  t.is(world.client.state, 'open');
  t.is(world.sockets.length, 1);
});

test('no token to be had is tried again; null ends the client', async (t) => {
  let count = 0;
  const world = newWorld('ws://relay', {
    token: async () => {
      if (++count === 1) throw new Error('logged out for a moment');
      return null;
    },
  });
  (await world.socket()).say(hello);
  await world.advance(250);
  t.is(world.client.state, 'waiting');
  await world.advance(1000);
  (await world.socket()).say(hello);
  await world.advance(250);
  t.is(world.client.state, 'closed');
});

// Publishing.

test('a publish without a connection is rejected, and so is one that was under way, each in its words', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const sent = world.client.publish('a', 1);
  socket.end();
  await t.throwsAsync(sent, { message: 'unconfirmed' });
  await t.throwsAsync(world.client.publish('a', 2), { message: 'offline' });
  await world.advance(1000);
  t.is(world.client.state, 'connecting');
  const waits = world.client.publish('a', 3);
  (await world.socket()).end();
  await t.throwsAsync(waits, { message: /^offline/ });
});

test('publishes may wait for a connection, up to a bound, in their order, and are sent once', async (t) => {
  const world = newWorld('ws://relay', { offline: { queue: 120 } });
  (await world.socket()).end();
  const [one, two] = [world.client.publish('a', 1), world.client.publish('a', 2)];
  await t.throwsAsync(world.client.publish('a', 3), { message: 'queue_full' });
  await world.advance(1000);
  const socket = await world.socket();
  socket.say(hello);
  t.deepEqual(
    socket.sent.map(({ content }) => content),
    [1, 2],
  );
  socket.say({ type: 'publish_ok', id: 1 });
  await one;
  socket.end();
  await t.throwsAsync(two, { message: 'unconfirmed' });
  await world.advance(2000);
  const next = await world.socket();
  next.say(hello);
  t.deepEqual(next.sent, []);
});

test('a channel is made a text, as names are everywhere in browsers: a frame with another one would end the client', async (t) => {
  const world = newWorld();
  const socket = await world.socket();
  socket.say(hello);
  world.client.subscribe(5 as unknown as string);
  void world.client.publish(undefined as unknown as string, 1);
  t.deepEqual(
    socket.sent.map(({ type, channel }) => [type, channel]),
    [
      ['subscribe', '5'],
      ['publish', 'undefined'],
    ],
  );
});

test('what the relay refuses, or would refuse for its size, is rejected alone', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  await t.throwsAsync(world.client.publish('a', 'ä'.repeat(500)), { message: 'too_large' });
  t.deepEqual(socket.sent, []);
  const denied = world.client.publish('b', 1);
  socket.say({ type: 'publish_error', id: 2, channel: 'b', why: 'permission_denied' });
  await t.throwsAsync(denied, { message: 'permission_denied: b' });
  t.is(world.client.state, 'open');
});

test('a publish can be called off while it waits', async (t) => {
  const world = newWorld('ws://relay', { offline: { queue: 1000 } });
  const off = new AbortController();
  const one = world.client.publish('a', 1, off.signal);
  off.abort(new Error('no longer'));
  await t.throwsAsync(one, { message: 'no longer' });
  await t.throwsAsync(world.client.publish('a', 2, off.signal), { message: 'no longer' });
  const socket = await world.socket();
  socket.say(hello);
  t.deepEqual(socket.sent, []);
});

test('with PuSu a publish is done when it is on its way', async (t) => {
  const world = await openWorld('ws://relay', {}, plain);
  const socket = await world.socket();
  t.is(await world.client.publish('a', 1), undefined);
  t.deepEqual(socket.sent.splice(0), [{ type: 'publish', channel: 'a', content: 1 }]);
  socket.bufferedAmount = 2_000_000;
  let done = false;
  const slow = world.client.publish('a', 2).then(() => {
    done = true;
  });
  await world.advance(1000);
  t.false(done);
  socket.bufferedAmount = 0;
  await world.advance(250);
  await slow;
  t.true(done);
});

test('a flush is over when all before it is answered, and the relay with it', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const done: string[] = [];
  const sent = world.client.publish('a', 1);
  void sent.then(() => done.push('publish'));
  const flushed = world.client.flush();
  void flushed.then(() => done.push('flush'));
  await world.advance(250);
  t.deepEqual(done, []);
  socket.say({ type: 'publish_ok', id: 1 });
  await world.advance(250);
  t.deepEqual(done, ['publish']);
  socket.say({ type: 'pong' });
  t.is(await flushed, 500);
  const lost = world.client.flush();
  await world.advance(250);
  socket.end();
  await t.throwsAsync(lost, { message: 'offline' });
});

// Subscriptions.

test('the last to go ends the subscription at the relay, a second later; who comes meanwhile finds it', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const first = world.client.subscribe('a');
  socket.say({ type: 'subscribe_ok', channel: 'a' });
  t.is(socket.sent.splice(0).length, 1);
  await first.end();
  await world.advance(500);
  const second = world.client.subscribe('a');
  const third = world.client.subscribe('a');
  await Promise.all([second.ready, third.ready]);
  await second.end();
  await world.advance(2000);
  t.deepEqual(socket.sent, []);
  await third.end();
  await world.advance(1250);
  t.deepEqual(socket.sent.splice(0), [{ type: 'unsubscribe', channel: 'a' }]);
  socket.say({ type: 'unsubscribe_ok', channel: 'a' });
  const fourth = heard(world.client.subscribe('a', { linger: 0 }));
  socket.say({ type: 'publish', channel: 'a', content: 'late' }, { type: 'subscribe_ok', channel: 'a' });
  socket.say({ type: 'publish', channel: 'a', content: 'new' });
  t.deepEqual(brief(fourth), ['new']);
});

test('mount, unmount, mount: one subscription at the relay, and its last message is told again', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const first = world.client.subscribe('a', { since: 'last' });
  const one = heard(first);
  t.deepEqual(socket.sent.splice(0), [{ type: 'subscribe', channel: 'a', since: 'last' }]);
  await first.end();
  const two = heard(world.client.subscribe('a', { since: 'last' }));
  socket.say({ type: 'subscribe_ok', channel: 'a', at: 'e:4', until: 'e:5' });
  socket.say({ type: 'publish', channel: 'a', content: 5, at: 'e:5' });
  t.deepEqual(socket.sent, []);
  t.deepEqual([brief(one), brief(two)], [[], [5]]);
  // Another one, later: the relay is asked for it, and the second hears nothing twice.
  const three = heard(world.client.subscribe('a', { since: 'last' }));
  t.deepEqual(
    socket.sent.splice(0).map(({ type }) => type),
    ['unsubscribe', 'subscribe'],
  );
  socket.say({ type: 'unsubscribe_ok', channel: 'a' });
  socket.say({ type: 'subscribe_ok', channel: 'a', at: 'e:4', until: 'e:5' });
  socket.say({ type: 'publish', channel: 'a', content: 5, at: 'e:5' });
  socket.say({ type: 'publish', channel: 'a', content: 6, at: 'e:6' });
  t.deepEqual(
    [brief(two), brief(three)],
    [
      [5, 6],
      [5, 6],
    ],
  );
  t.deepEqual(socket.sent, []);
});

test('a subscription that is refused fails alone; one that cannot be had now is asked for again', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const denied = world.client.subscribe('a');
  const later = world.client.subscribe('b');
  socket.say({ type: 'subscribe_error', channel: 'a', why: 'permission_denied' });
  socket.say({ type: 'subscribe_error', channel: 'b', why: 'unavailable' });
  await t.throwsAsync(denied.ready, { message: 'permission_denied: a' });
  await t.throwsAsync(denied[Symbol.asyncIterator]().next(), { message: 'permission_denied: a' });
  socket.sent.length = 0;
  await world.advance(5000);
  t.deepEqual(socket.sent.splice(0), [{ type: 'subscribe', channel: 'b' }]);
  socket.say({ type: 'subscribe_ok', channel: 'b' });
  await later.ready;
  t.is(world.client.state, 'open');
});

test('after a reconnect a subscription asks for what it has missed', async (t) => {
  const world = await openWorld();
  const events = heard(world.client.subscribe('a'));
  const one = await world.socket();
  one.say({ type: 'subscribe_ok', channel: 'a', at: 'e:2' });
  one.say({ type: 'publish', channel: 'a', content: 3, at: 'e:3' });
  one.end();
  await world.advance(1000);
  const two = await world.socket();
  two.say(hello);
  t.deepEqual(two.sent.splice(0), [{ type: 'subscribe', channel: 'a', since: 'e:3' }]);
  two.say({ type: 'subscribe_ok', channel: 'a', at: 'e:3', until: 'e:5', recovered: true });
  for (const n of [4, 5, 6]) two.say({ type: 'publish', channel: 'a', content: n, at: `e:${n}` });
  t.deepEqual(
    events.map((event) => event.type === 'message' && [event.content, event.at, event.replayed]),
    [
      [3, 'e:3', false],
      [4, 'e:4', true],
      [5, 'e:5', true],
      [6, 'e:6', false],
    ],
  );
});

test('where the relay keeps nothing, each reconnect is one gap', async (t) => {
  const world = await openWorld();
  const events = heard(world.client.subscribe('a'));
  for (let i = 0; i < 3; i++) {
    const socket = await world.socket();
    if (i > 0) socket.say(hello);
    socket.say({ type: 'subscribe_ok', channel: 'a' }, { type: 'publish', channel: 'a', content: i });
    socket.end();
    await world.advance(2000);
  }
  t.deepEqual(brief(events), [0, '-? disconnected', 1, '-? disconnected', 2]);
});

test('who has been let in before and is refused after a reconnect hears so: as a listener by a gap, as a loop by an error', async (t) => {
  const world = await openWorld();
  const subscription = world.client.subscribe('a');
  const events = heard(subscription);
  const one = await world.socket();
  one.say({ type: 'subscribe_ok', channel: 'a', at: 'e:2' });
  one.end();
  await world.advance(1000);
  const two = await world.socket();
  two.say(hello, { type: 'subscribe_error', channel: 'a', why: 'permission_denied' });
  t.deepEqual(events, [{ type: 'gap', why: 'permission_denied', from: 'e:2' }]);
  await t.throwsAsync(subscription[Symbol.asyncIterator]().next(), { message: 'permission_denied: a' });
});

// Back pressure.

test('a loop that is slow pauses the socket, and no message is lost', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const subscription = world.client.subscribe<number>('a', { buffer: 4 });
  socket.say({ type: 'subscribe_ok', channel: 'a' });
  const loop = subscription[Symbol.asyncIterator]();
  const reading = loop.next();
  for (let i = 0; i < 20; i++) socket.say({ type: 'publish', channel: 'a', content: i });
  t.true(socket.isPaused);
  const read = [await reading];
  for (let i = 1; i < 20; i++) read.push(await loop.next());
  t.false(socket.isPaused);
  t.deepEqual(
    read.map(({ value }) => value?.type === 'message' && value.content),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test('while it reads nothing it shows the relay that it lives, and takes its silence for nothing', async (t) => {
  const world = await openWorld('ws://relay', { silence: 10_000 });
  const socket = await world.socket();
  const subscription = world.client.subscribe('a', { buffer: 1 });
  socket.say({ type: 'subscribe_ok', channel: 'a' });
  const loop = subscription[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) socket.say({ type: 'publish', channel: 'a', content: i });
  socket.sent.length = 0;
  await world.advance(60_000);
  t.true(socket.isPaused);
  t.is(world.client.state, 'open');
  t.is(socket.sent.filter(({ type }) => type === 'ping').length, 15);
  for (let i = 0; i < 15; i++) socket.say({ type: 'pong' });
  for (let i = 0; i < 3; i++) await loop.next();
  await world.advance(9000);
  t.is(world.client.state, 'open');
});

test('a loop that publishes in its body gets its answer, although it has enough to read', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const subscription = world.client.subscribe('a', { buffer: 1 });
  socket.say({ type: 'subscribe_ok', channel: 'a' });
  const loop = subscription[Symbol.asyncIterator]();
  for (let i = 0; i < 5; i++) socket.say({ type: 'publish', channel: 'a', content: i });
  t.true(socket.isPaused);
  const sent = world.client.publish('b', 1);
  t.false(socket.isPaused);
  socket.say({ type: 'publish', channel: 'a', content: 5 }, { type: 'publish_ok', id: 1 });
  await sent;
  t.true(socket.isPaused);
  for (let i = 0; i < 6; i++) t.is((await loop.next()).value?.type, 'message');
});

test('what a socket that cannot pause brings too much is counted in one gap, the oldest first', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const subscription = world.client.subscribe('a', { buffer: 3, overflow: 'gap' });
  const loop = subscription[Symbol.asyncIterator]();
  socket.say({ type: 'subscribe_ok', channel: 'a', at: 'e:0' });
  for (let i = 1; i <= 10; i++) socket.say({ type: 'publish', channel: 'a', content: i, at: `e:${i}` });
  t.is(subscription.position, 'e:0');
  t.false(socket.isPaused);
  t.deepEqual((await loop.next()).value, { type: 'gap', why: 'overflow', missed: 7, from: 'e:0', to: 'e:7' });
  t.is(subscription.position, 'e:7');
  for (const n of [8, 9, 10]) {
    const { value } = await loop.next();
    t.is(value?.type === 'message' && value.content, n);
  }
  t.is(subscription.position, 'e:10');
});

// The end.

test('close leaves no timer and no listener, ends loops, and rejects what waits', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const subscription = world.client.subscribe('a');
  socket.say({ type: 'subscribe_ok', channel: 'a' });
  const next = subscription[Symbol.asyncIterator]().next();
  const states: State[] = [];
  world.client.on('state', (state) => states.push(state));
  const closed = world.client.close();
  t.is(world.client.state, 'closed');
  t.is(socket.closedWith, 1000);
  t.deepEqual(await next, { value: undefined, done: true });
  socket.end(1000);
  await closed;
  t.is(world.clock.pending, 0);
  t.is(world.wake, undefined);
  t.deepEqual([socket.onmessage, socket.onclose], [null, null]);
  t.deepEqual(states, ['closed']);
  await t.throwsAsync(world.client.publish('a', 1), { message: 'closed' });
  await t.throwsAsync(world.client.subscribe('a').ready, { message: 'closed' });
  await world.client.close();
});

test('close waits for answers, and not for a relay that gives none', async (t) => {
  const world = await openWorld();
  const socket = await world.socket();
  const sent = world.client.publish('a', 1);
  const closed = world.client.close();
  await t.throwsAsync(world.client.publish('a', 2), { message: 'closed' });
  socket.say({ type: 'publish_ok', id: 1 });
  await sent;
  await world.advance(250);
  socket.say({ type: 'pong' });
  await world.advance(250);
  socket.end(1000);
  await closed;

  const mute = await openWorld();
  const lost = mute.client.publish('a', 1);
  const over = mute.client.close();
  await Promise.all([t.throwsAsync(lost), mute.advance(5000)]);
  await over;
  t.is(mute.clock.pending, 0);
});

test('close does not wait for a connection that is lost meanwhile', async (t) => {
  const world = await openWorld('ws://relay', { offline: { queue: 1000 } });
  const first = world.client.publish('a', 1);
  const closed = world.client.close();
  (await world.socket()).end();
  await t.throwsAsync(first, { message: 'unconfirmed' });
  await Promise.all([closed, world.advance(3000)]);
  t.is(world.clock.pending, 0);
});

test('a client that never got anywhere closes as well, and so does one that a listener closes', async (t) => {
  const world = newWorld();
  await world.client.close();
  await world.socket();
  t.is(world.clock.pending, 0);
  t.deepEqual(
    world.sockets.filter(({ isOpen }) => isOpen),
    [],
  );
  const other = await openWorld();
  other.client.on('state', (state) => state === 'connecting' && void other.client.close());
  (await other.socket()).end();
  await other.advance(5000);
  t.is(other.client.state, 'closed');
  t.is(other.sockets.length, 1);
  t.is(other.clock.pending, 0);
});
