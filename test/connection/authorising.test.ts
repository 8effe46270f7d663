import test from 'ava';
import {
  type AuthenticatorMessage,
  authenticatorServer,
} from '../../src/authenticator/authenticator-server.ts';
import { everything, none, type Permissions } from '../../src/authenticator/permissions.ts';
import { connectionHandler } from '../../src/connection/connection-handler.ts';
import { postSession } from '../../src/door/pinghub/sessions.ts';
import { send } from '../../src/otp/process.ts';
import { processName } from '../../src/otp/registry.ts';
import { spawnOk } from '../support/otp.ts';
import { connectionWorld, FakeTransport } from './connection-world.ts';

/** A POST whose credential is being judged, until `answer` is called. */
async function posted() {
  const world = await connectionWorld();
  const failed: string[] = [];
  let answer: (permissions: Permissions) => void = () => undefined;
  const authenticator = {
    name: 'slow',
    anonymous: none,
    authorise: () =>
      new Promise<Permissions>((resolve) => {
        answer = resolve;
      }),
  };
  const server = processName<AuthenticatorMessage>('slow');
  spawnOk(world.system, authenticatorServer, { authenticator, log: () => undefined }, { name: server.value });
  const transport = new FakeTransport('exchange');
  const pid = spawnOk(world.system, connectionHandler, {
    context: {
      ...world.context,
      attempts: { failed: (address) => failed.push(address), refuses: () => false },
    },
    guard: { anonymous: none, server },
    transport,
    session: postSession('t', 'a credential'),
    format: null,
    address: '192.0.2.1',
  });
  await world.quiet();
  return {
    ...world,
    transport,
    failed,
    body: () => send(pid, { type: 'body', payload: Buffer.from('x') }),
    answer: async (permissions: Permissions) => {
      answer(permissions);
      await world.quiet();
    },
  };
}

test('a body is not read while its credential is judged, and read once it is found good', async (t) => {
  const post = await posted();
  t.deepEqual(post.transport.done, ['pause']);
  await post.answer(everything);
  t.deepEqual(post.transport.done, ['pause', 'resume']);
  post.body();
  await post.quiet();
  t.deepEqual(post.transport.done, ['pause', 'resume', 'reply 200']);
  t.deepEqual(post.failed, []);
});

test('a credential that grants nothing is counted against the address, and its body is not read', async (t) => {
  const post = await posted();
  await post.answer(none);
  t.is(post.transport.done[1], 'reply 401');
  t.deepEqual(post.failed, ['192.0.2.1']);
});
