import test from 'ava';
import type { Authenticator } from '../../src/authenticator/contract.ts';
import { none } from '../../src/authenticator/permissions.ts';
import { fanfareDialect } from '../../src/door/fanfare/dialect.ts';
import { pusuDoor } from '../../src/door/pusu/door.ts';
import { guardedWorld } from './guarded-world.ts';

const dialect = fanfareDialect({
  relay: 'r',
  ping: 25,
  limits: { message: 65536, topicLength: 256, topics: 128 },
});

test('a client that stays and tries topic after topic has nobody asked as fast as it likes', async (t) => {
  const asked: string[] = [];
  const authenticator: Authenticator = {
    name: 'Topics',
    anonymous: none,
    needs: 'topic',
    authorise: ({ access }) => {
      asked.push(access?.topic ?? '');
      return none;
    },
  };
  const world = guardedWorld(authenticator, pusuDoor({ topicLength: 256, dialect }));
  const request = { method: 'GET', target: '/', headers: [] };
  const headers = { 'sec-websocket-protocol': 'fanfare.1' };
  const client = world.connect({ upgrade: true, headers }, request);
  for (const channel of ['a', 'b', 'c']) client.send({ type: 'subscribe', channel });
  await world.quiet();
  t.deepEqual(asked, ['a']);
  await world.advance(49);
  t.deepEqual(asked, ['a']);
  await world.advance(1);
  t.deepEqual(asked, ['a', 'b']);
  await world.advance(50);
  t.deepEqual(asked, ['a', 'b', 'c']);
  t.deepEqual(
    client.got.slice(1).map((frame) => JSON.parse(frame) as unknown),
    ['a', 'b', 'c'].map((channel) => ({ type: 'subscribe_error', channel, why: 'permission_denied' })),
  );
  t.is(client.ended, null);
});
