import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { startBackEnd } from '../support/back-end.ts';
import { ask, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { SECRET_TEXT, token } from '../support/tokens.ts';
import { connectWs } from '../support/ws-client.ts';

type DoorName = 'pusu' | 'pinghub' | 'wspubsub';
type Right = 'read' | 'write';
type Who = 'nobody' | 'wrong' | 'one' | 'two';

/** One way of judging clients, as a policy that we know, and as a setting of a door. */
interface Guarded {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<Who, string | null>>;
  may(who: Who, right: Right, topic: string): boolean;
}

const starts = (topic: string, ...prefixes: string[]) => prefixes.some((each) => topic.startsWith(each));

/** No two of them agree on much, so that a way around one through another would show. */
async function everyGuard(t: ExecutionContext): Promise<Readonly<Record<string, Guarded>>> {
  const forwardMay: Guarded['may'] = (who, right, topic) =>
    (who === 'one' && topic === 'd/t' && right === 'read') || (who === 'two' && topic === 'a/b');
  const backEnd = await startBackEnd(t, (request, response) => {
    const { authorization = '', 'x-original-uri': uri, 'x-original-method': method } = request.headers;
    const path = decodeURIComponent(String(uri).slice(1));
    const topic = path.startsWith('ws/sub/') ? path.slice('ws/sub/'.length) : path;
    const who = authorization.replace('Bearer ', '') as Who;
    response.writeHead(forwardMay(who, method === 'GET' ? 'read' : 'write', topic) ? 204 : 403).end();
  });
  const plugin = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(
    plugin,
    `const book = { one: { '__proto__x': 'r', 'user.*': 'w' }, two: { 'd/*': { read: true } } };
    export const getPermissions = (authorization) => Object.hasOwn(book, authorization) ? book[authorization] : {};`,
  );
  const plain = { nobody: null, wrong: 'wrong', one: 'one', two: 'two' };
  return {
    password: {
      settings: { authenticator: 'PasswordAuthenticator', passwords: { one: ['user.*', 'a'], two: ['a/*'] } },
      credentials: plain,
      may: (who, _right, topic) =>
        (who === 'one' && (starts(topic, 'user.') || topic === 'a')) ||
        (who === 'two' && starts(topic, 'a/')),
    },
    readers: {
      settings: {
        authenticator: 'PasswordAuthenticator',
        passwords: { one: ['a/*'] },
        allow_read_by_default: true,
      },
      credentials: plain,
      may: (who, right, topic) => right === 'read' || (who === 'one' && starts(topic, 'a/')),
    },
    none: { settings: { authenticator: 'None' }, credentials: plain, may: () => true },
    jwt: {
      settings: { authenticator: 'JWT', jwt_verification_key: SECRET_TEXT },
      credentials: {
        ...plain,
        one: await token({ channels: { 'd/*': 'r', a: 'w' } }),
        two: await token({ channels: { '..*': 'rw', 'user.1': 'r' } }),
      },
      may: (who, right, topic) =>
        (who === 'one' && (right === 'read' ? starts(topic, 'd/') : topic === 'a')) ||
        (who === 'two' && (starts(topic, '..') || (topic === 'user.1' && right === 'read'))),
    },
    forward: {
      settings: { authenticator: 'Forward', forward: { url: backEnd.url } },
      credentials: plain,
      may: forwardMay,
    },
    plugin: {
      settings: { authenticator: plugin },
      credentials: plain,
      may: (who, right, topic) =>
        (who === 'one' && (right === 'read' ? topic === '__proto__x' : starts(topic, 'user.'))) ||
        (who === 'two' && right === 'read' && starts(topic, 'd/')),
    },
  };
}

const topics = [
  ...[
    'a',
    'a/b',
    'd/t',
    'd/*',
    'd/..',
    'user.1',
    'user.',
    'user',
    'user.*',
    '*',
    'A',
    'ü',
    'a b',
    '__proto__x',
  ],
  ...[
    'a%2Fb',
    'd%2Ft',
    '..',
    '../a',
    'd/../a',
    'a/../d/t',
    '/a',
    'a/',
    'd//t',
    'a?b',
    'd/t#',
    'user.1\u0000',
  ],
];

const KEY = 'key-of-d';

interface Attempt {
  readonly door: DoorName;
  readonly right: Right;
  readonly topic: string;
  readonly who: Who;
  /** Slashes are escaped too, where the door has paths. */
  readonly escaped: boolean;
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  door: fc.constantFrom('pusu', 'pinghub', 'wspubsub'),
  right: fc.constantFrom('read', 'write'),
  topic: fc.constantFrom(...topics),
  who: fc.constantFrom('nobody', 'wrong', 'one', 'two'),
  escaped: fc.boolean(),
});

/** Every second one is among those that may, of which there are few with some authenticators. */
function attemptsAt(guards: Readonly<Record<DoorName, Guarded>>): fc.Arbitrary<Attempt> {
  const allowed = (['pusu', 'pinghub', 'wspubsub'] as const).flatMap((door) =>
    (['read', 'write'] as const).flatMap((right) =>
      topics.flatMap((topic) =>
        (['nobody', 'wrong', 'one', 'two'] as const)
          .filter((who) => guards[door].may(who, right, topic))
          .map((who): Attempt => ({ door, right, topic, who, escaped: topic.length % 2 === 0 })),
      ),
    ),
  );
  return fc.oneof(attempt, fc.constantFrom(...allowed));
}

function bearer(credential: string | null): Record<string, string> {
  return credential === null ? {} : { Authorization: `Bearer ${credential}` };
}

async function upgradeStatus(
  t: ExecutionContext,
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  const client = await connectRaw(t, port);
  client.send(upgradeRequest(headers, `GET ${path} HTTP/1.1`));
  const answer = await client.until('\r\n\r\n');
  client.socket.destroy();
  return Number(answer.split(' ')[1]);
}

/** Whether the door lets it happen; null: the door has no way to say it. */
async function happens(
  t: ExecutionContext,
  relay: TestRelay,
  { door, right, topic, who, escaped }: Attempt,
  { credentials }: Guarded,
): Promise<boolean | null> {
  const credential = credentials[who];
  const port = relay.port(door);
  const path = escaped ? encodeURIComponent(topic) : topic.split('/').map(encodeURIComponent).join('/');
  switch (door) {
    case 'pinghub':
      if (right === 'read') return (await upgradeStatus(t, port, `/${path}`, bearer(credential))) === 101;
      return (
        (await ask(port, `/${path}`, { method: 'POST', headers: bearer(credential), body: 'x' })).status ===
        200
      );
    case 'wspubsub': {
      if (topic.split('/').length !== 2 || topic.split('/').includes('') || topic.includes('\0')) return null;
      const parts = topic.split('/').map(encodeURIComponent).join('/');
      const key = who === 'one' ? KEY : 'no-key';
      if (right === 'write') return (await upgradeStatus(t, port, `/ws/pub/${key}/${parts}`, {})) === 101;
      // Nobody owns it: whoever may read it is told that it is missing.
      return [101, 404].includes(await upgradeStatus(t, port, `/ws/sub/${parts}`, bearer(credential)));
    }
    case 'pusu': {
      const client = await connectWs(t, port);
      if (credential !== null) client.send(JSON.stringify({ type: 'authorize', authorization: credential }));
      if (right === 'read') client.send(JSON.stringify({ type: 'subscribe', channel: topic }));
      else client.send(JSON.stringify({ type: 'publish', channel: topic, content: 'x' }), '{"type":"probe"}');
      const got = await client.got.find(
        (one) => typeof one === 'string' && /subscribe_ok|unknown|denied|failed/.test(one),
      );
      client.webSocket.terminate();
      return /subscribe_ok|unknown/.test(String(got));
    }
  }
}

test('whatever doors share a realm, each is judged by its own authenticator, for the topic that is used', async (t) => {
  const guards = await everyGuard(t);
  const names = Object.keys(guards);
  for (const [index, name] of names.entries()) {
    const at = (step: number) => guards[names[(index + step) % names.length] as string] as Guarded;
    const byDoor: Record<DoorName, Guarded> = { pusu: at(0), pinghub: at(1), wspubsub: at(2) };
    const relay = await startTestRelay(t, {
      doors: {
        pusu: { realm: 'one', ...byDoor.pusu.settings },
        pinghub: { realm: 'one', ...byDoor.pinghub.settings },
        wspubsub: {
          realm: 'one',
          grace: '0ms',
          apikeys: { list: [{ domain: 'd', key: KEY }] },
          ...byDoor.wspubsub.settings,
        },
      },
    });
    let [yes, no] = [0, 0];
    await fc.assert(
      fc.asyncProperty(attemptsAt(byDoor), async (one) => {
        const guard = byDoor[one.door];
        const happened = await happens(t, relay, one, guard);
        if (happened === null) return;
        const byKey = one.door === 'wspubsub' && one.right === 'write';
        const may = byKey
          ? one.who === 'one' && one.topic.startsWith('d/')
          : guard.may(one.who, one.right, one.topic);
        if (may) yes++;
        else no++;
        t.is(happened, may, `${name} ${JSON.stringify(one)}`);
      }),
      { numRuns: 120 },
    );
    t.true(yes > 0 && no > 0, name);
  }
});

test('a message crosses from door to door only to those who may read it there', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: 'PasswordAuthenticator',
    passwords: { one: ['a', 'secret'], two: ['a'] },
    doors: { pusu: {}, pinghub: {} },
  });
  const post = (path: string) =>
    ask(relay.port('pinghub'), path, { method: 'POST', headers: bearer('one'), body: path });
  const reader = await connectWs(t, relay.port('pusu'));
  reader.send(
    JSON.stringify({ type: 'authorize', authorization: 'two' }),
    JSON.stringify({ type: 'subscribe', channel: 'a' }),
  );
  await reader.take(3);
  t.is((await post('/secret')).status, 200);
  t.is((await post('/a')).status, 200);
  t.is(await reader.next(), JSON.stringify({ type: 'publish', channel: 'a', content: '/a' }));
});

test('the channels that are allowed bind every authenticator at every door of the realm', async (t) => {
  const backEnd = await startBackEnd(t, (request, response) => {
    const moved = request.headers['x-original-uri'] === '/user.alias' ? { 'X-Rewrite': '/other' } : {};
    response.writeHead(204, moved).end();
  });
  const relay = await startTestRelay(t, {
    allowed_channels: ['user.*'],
    authenticator: 'Forward',
    forward: { url: backEnd.url },
    doors: { pusu: {}, pinghub: {} },
  });
  const status = async (path: string) =>
    (await ask(relay.port('pinghub'), path, { method: 'POST', body: 'x' })).status;
  t.is(await status('/user.1'), 200);
  t.is(await status('/other'), 403);
  t.is(await status('/user.alias'), 403, 'it is the topic that is used which counts');
});
