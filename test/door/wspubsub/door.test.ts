import test from 'ava';
import { wspubsubDoor } from '../../../src/door/wspubsub/door.ts';
import { wspubsubFormat } from '../../../src/door/wspubsub/format.ts';
import { doorRequest } from '../door-request.ts';
import { answerOf, play, sessionOf, statusOf } from '../script.ts';

const door = wspubsubDoor({ topicLength: 256, subscribersNeedRight: false });
const shared = wspubsubDoor({ topicLength: 256, subscribersNeedRight: true });

const upgrade = (target: string) => ({ target, upgrade: true });
const commands = (target: string, which = door) => play(sessionOf(which, upgrade(target))).flat();

test('a publisher is judged by its API key, and nothing is delivered to it', (t) => {
  t.like(door.route(doorRequest(upgrade('/ws/pub/key/domain/topic'))), {
    type: 'open',
    transport: 'websocket',
    guard: 'apikeys',
    format: null,
  });
  t.deepEqual(commands('/ws/pub/key/domain/topic'), ['authorise key']);
});

test('a subscriber is let in by nobody, and joins while the topic is owned', (t) => {
  const route = door.route(doorRequest(upgrade('/ws/sub/domain/topic')));
  t.like(route, { type: 'open', transport: 'websocket', guard: 'open' });
  t.is(route.type === 'open' ? route.format : null, wspubsubFormat);
  t.deepEqual(commands('/ws/sub/domain/topic'), ['join domain/topic while owned']);
});

test('in a realm of its own a credential of a subscriber is not looked at', (t) => {
  t.deepEqual(commands('/ws/sub/d/t?access_token=x'), ['join d/t while owned']);
});

test('in a shared realm a subscriber is judged by the authenticator', (t) => {
  t.like(shared.route(doorRequest(upgrade('/ws/sub/d/t'))), { type: 'open', guard: 'authenticator' });
  t.deepEqual(commands('/ws/sub/d/t', shared), ['join d/t while owned']);
  t.deepEqual(commands('/ws/sub/d/t?access_token=x', shared), ['authorise x']);
});

test('in a shared realm a publisher is still judged by its API key', (t) => {
  t.like(shared.route(doorRequest(upgrade('/ws/pub/k/d/t?access_token=x'))), {
    type: 'open',
    guard: 'apikeys',
  });
  t.deepEqual(commands('/ws/pub/k/d/t?access_token=x', shared), ['authorise k']);
});

test('parts are decoded once, after the split', (t) => {
  t.deepEqual(commands('/ws/sub/d%20%C3%A9/%2574'), ['join d é/%74 while owned']);
  t.deepEqual(commands('/ws/pub/k%2Bk/d/t'), ['authorise k+k']);
  t.deepEqual(commands('/%77s/s%75b/d/t'), ['join d/t while owned']);
  t.deepEqual(commands('/ws/sub/../.'), ['join ../. while owned']);
});

test('a wrong number of parts is a bad request', (t) => {
  const pub = ['/ws/pub', '/ws/pub/k', '/ws/pub/k/d', '/ws/pub/k/d/t/x'];
  for (const target of [...pub, '/ws/sub', '/ws/sub/d', '/ws/sub/d/t/x', '/ws/sub/k/d/t']) {
    t.is(statusOf(door, upgrade(target)), 400, target);
  }
});

test('an empty part is a bad request', (t) => {
  const pub = ['/ws/pub/', '/ws/pub//d/t', '/ws/pub/k//t', '/ws/pub/k/d/', '/ws/pub/k/d/t/'];
  for (const target of [...pub, '/ws/sub/', '/ws/sub//t', '/ws/sub/d/', '/ws/sub/d/t/', '/ws/sub//d/t']) {
    t.is(statusOf(door, upgrade(target)), 400, target);
  }
});

test('a slash or a NUL within a part is a bad request', (t) => {
  for (const bad of ['a%2Fb', 'a%2fb', '%2F', '%00', 'a%00']) {
    for (const target of [
      `/ws/pub/${bad}/d/t`,
      `/ws/pub/k/${bad}/t`,
      `/ws/pub/k/d/${bad}`,
      `/ws/sub/${bad}/t`,
    ]) {
      t.is(statusOf(door, upgrade(target)), 400, target);
    }
  }
});

test('a part that does not decode is a bad request', (t) => {
  for (const bad of ['%', '%zz', '%ff', '%ed%a0%80', '\u00ff']) {
    t.is(statusOf(door, upgrade(`/ws/sub/d/${bad}`)), 400, bad);
    t.is(statusOf(door, upgrade(`/ws/pub/${bad}/d/t`)), 400, bad);
  }
});

test('a topic of the limit passes, and one character more is a bad request', (t) => {
  t.is(statusOf(door, upgrade(`/ws/sub/d/${'t'.repeat(254)}`)), 101);
  t.is(statusOf(door, upgrade(`/ws/sub/d/${'t'.repeat(255)}`)), 400);
  t.is(statusOf(door, upgrade(`/ws/pub/${'k'.repeat(300)}/d/${'t'.repeat(254)}`)), 101);
  t.is(
    statusOf(
      wspubsubDoor({ topicLength: 0, subscribersNeedRight: false }),
      upgrade(`/ws/sub/d/${'t'.repeat(999)}`),
    ),
    101,
  );
});

test('a wrong shape is a bad request without an upgrade too', (t) => {
  t.is(statusOf(door, { target: '/ws/sub/d' }), 400);
  t.is(statusOf(door, { target: '/ws/pub/k/d', method: 'POST' }), 400);
});

test('another path is not found', (t) => {
  for (const target of [
    '/',
    '/ws',
    '/ws/',
    '/foo',
    '/ws/PUB/k/d/t',
    '/ws%2Fsub/d/t',
    '//ws/sub/d/t',
    '*',
    'ws/sub/d/t',
    '/%zz',
  ]) {
    t.is(statusOf(door, upgrade(target)), 404, target);
    t.is(statusOf(door, { target }), 404, target);
  }
});

test('a plain GET is told to upgrade, and other methods are not allowed', (t) => {
  for (const target of ['/ws/pub/k/d/t', '/ws/sub/d/t']) {
    t.is(statusOf(door, { target }), 426);
    for (const method of ['POST', 'HEAD', 'DELETE']) {
      const { status, headers } = answerOf(door, { target, method });
      t.is(status, 405);
      t.like(headers, { Allow: 'GET' });
    }
  }
});

test('no answer holds the key', (t) => {
  const targets = [
    '/ws/pub/SECRET/d',
    '/ws/pub/SECRET/d/%00',
    '/ws/pub/SECRET/d/t',
    `/ws/pub/SECRET/d/${'t'.repeat(300)}`,
  ];
  for (const target of targets) {
    t.false(JSON.stringify(answerOf(door, { target })).includes('SECRET'));
    t.false(JSON.stringify(answerOf(door, { target, method: 'POST' })).includes('SECRET'));
  }
});
