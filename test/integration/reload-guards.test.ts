import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startBackEnd } from '../support/back-end.ts';
import { configFile, type RelayProcess, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { servedTime } from '../support/served-time.ts';
import { SECRET_TEXT, token } from '../support/tokens.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

/** Milliseconds within which a connection must have lost what a reload has taken away. */
const PROMISED = 5000;
const KEY = 'key-of-d';

const doors = ['pusu', 'pinghub', 'wspubsub'] as const;
type Door = (typeof doors)[number];

/** `one` uses topic a with a credential, `two` topic b with another, `nobody` a without. */
const everybody = ['nobody', 'one', 'two'] as const;
type Who = (typeof everybody)[number];

interface Policy {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Who may read their topic. */
  readonly lets: readonly Who[];
}

const both = (name: string) => [name, `d/${name}`];
/** A token as a password: written plain it would be taken for a mistake. */
const hashOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const topicOf = (door: Door, who: Who) => (door === 'wspubsub' ? 'd/' : '') + (who === 'two' ? 'b' : 'a');

/** The same credentials everywhere: a token is a password like any other where passwords are judged. */
async function policies(t: ExecutionContext) {
  const credentials: Readonly<Record<Who, string | null>> = {
    nobody: null,
    one: await token({ channels: { a: 'rw', 'd/a': 'r' } }),
    two: await token({ channels: { b: 'rw', 'd/b': 'r' } }),
  };
  const { one, two } = credentials as Record<'one' | 'two', string>;
  const backEnd = await startBackEnd(t, (request, response) => {
    response.writeHead(request.headers.authorization?.endsWith(one) ? 204 : 403).end();
  });
  const plugin = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(
    plugin,
    `const book = new Map([[${JSON.stringify(two)}, { b: 'rw', 'd/b': 'r' }]]);
    export const getPermissions = (authorization) => book.get(authorization) ?? {};`,
  );
  const byPassword = (passwords: object, more: object = {}) => ({
    authenticator: 'PasswordAuthenticator',
    passwords,
    ...more,
  });
  const all: Readonly<Record<string, Policy>> = {
    none: { settings: { authenticator: 'None' }, lets: everybody },
    passwords: {
      settings: byPassword({ [hashOf(one)]: both('a'), [hashOf(two)]: both('b') }),
      lets: ['one', 'two'],
    },
    fewer: { settings: byPassword({ [hashOf(two)]: both('b') }), lets: ['two'] },
    readers: {
      settings: byPassword({ [hashOf(one)]: ['x'] }, { allow_read_by_default: true }),
      lets: everybody,
    },
    jwt: {
      settings: { authenticator: 'JWT', jwt_verification_key: SECRET_TEXT },
      lets: ['one', 'two'],
    },
    forward: {
      settings: { authenticator: 'Forward', forward: { url: backEnd.url, timeout: '20s' } },
      lets: ['one'],
    },
    plugin: { settings: { authenticator: plugin }, lets: ['two'] },
  };
  return { credentials, all };
}

/** The configuration with that policy at every door, or none at all for the door itself. */
function textOf({ settings }: Policy, where: 'doors' | 'top'): string {
  const own = where === 'doors' ? settings : {};
  const common = { host: '127.0.0.1', port: 0, ...own };
  return JSON.stringify({
    ...(where === 'top' ? settings : {}),
    network: { port: 0 },
    limits: { failed_authorisations: 0 },
    doors: {
      pusu: common,
      pinghub: { ...common, metrics_port: false },
      wspubsub: { ...common, apikeys: { list: [{ domain: 'd', key: KEY }] } },
    },
  });
}

async function reload(relay: RelayProcess, file: string, text: string): Promise<void> {
  const isReloaded = ({ msg }: { msg: string }) => /reloaded/.test(msg);
  const before = relay.log.all.filter(isReloaded).length;
  writeFileSync(file, text);
  relay.signal('SIGHUP');
  const lines = await relay.log.count(isReloaded, before + 1);
  const last = lines.at(-1);
  if (last?.msg !== 'reloaded') throw new Error(JSON.stringify(last));
}

/** Connects, and uses the topic. */
async function joinTopic(
  t: ExecutionContext,
  door: Door,
  port: number,
  who: Who,
  credential: string | null,
): Promise<WsClient> {
  const topic = topicOf(door, who);
  const headers = credential === null ? {} : { Authorization: `Bearer ${credential}` };
  if (door === 'pinghub') return connectWs(t, port, `/${topic}`, { headers });
  if (door === 'wspubsub') return connectWs(t, port, `/ws/sub/${topic}`, { headers });
  const client = await connectWs(t, port);
  if (credential !== null) client.send(JSON.stringify({ type: 'authorize', authorization: credential }));
  client.send(JSON.stringify({ type: 'subscribe', channel: topic }));
  await client.got.find((got) => String(got).includes('subscribe_ok'), `${who} at ${topic}`);
  return client;
}

const endOf = ({ got }: WsClient) => got.all.find((one) => typeof one === 'object' && 'code' in one);

/** Every policy after every other one, each pair once. */
function* everyChange(names: readonly string[]): Iterable<readonly [string, string]> {
  for (const from of names) for (const to of names) if (from !== to) yield [from, to];
}

for (const where of ['doors', 'top'] as const) {
  test(`a reload at the ${where}: who loses what he uses is closed in time, and nobody else`, async (t) => {
    t.timeout(600_000);
    const { credentials, all } = await policies(t);
    const file = configFile(t, textOf(all['none'] as Policy, where));
    const relay = runRelay(t, ['--config', file, '--set', 'log.format=json']);
    const ports = { pusu: 0, pinghub: 0, wspubsub: 0 };
    for (const door of doors) ports[door] = await relay.port(door);
    const owners = [];
    for (const topic of both('a')
      .concat(both('b'))
      .filter((name) => name.startsWith('d/')))
      owners.push(await connectWs(t, ports.wspubsub, `/ws/pub/${KEY}/${topic}`));

    let lost = 0;
    for (const [from, to] of everyChange(Object.keys(all))) {
      const [before, after] = [all[from] as Policy, all[to] as Policy];
      await reload(relay, file, textOf(before, where));
      const clients = [];
      for (const door of doors)
        for (const who of everybody) {
          // Without an authenticator of its own, wspubsub's door is open to all who read.
          const isOpen = door === 'wspubsub' && where === 'top';
          if (!isOpen && !before.lets.includes(who)) continue;
          const client = await joinTopic(t, door, ports[door], who, credentials[who]);
          // Forward judges requests, and that of who came to somebody else is not known any more.
          const stays = isOpen || (to !== 'forward' && after.lets.includes(who));
          clients.push({ name: `${from} → ${to}: ${who} at ${door}`, client, stays });
        }
      await reload(relay, file, textOf(after, where));
      const took = servedTime(t);
      for (const { name, client, stays } of clients) {
        if (stays) continue;
        lost++;
        await client.got.find((one) => typeof one === 'object' && 'code' in one, name);
        t.true(took() < PROMISED, `${name}: ${took()} ms`);
        t.deepEqual(endOf(client), { code: 1008, reason: 'revoked' }, name);
      }
      for (const { name, client, stays } of clients) {
        if (!stays) continue;
        t.is(endOf(client), undefined, name);
        client.webSocket.terminate();
      }
    }
    t.true(lost > 40);
    for (const owner of owners) t.is(endOf(owner), undefined, 'publishers have their keys');
  });
}

test('a door of wspubsub that is given an authenticator, and loses it again', async (t) => {
  const { credentials, all } = await policies(t);
  const [open, closed, readers] = [all['none'], all['passwords'], all['readers']] as Policy[];
  const file = configFile(t, textOf(open as Policy, 'top'));
  const relay = runRelay(t, ['--config', file, '--set', 'log.format=json']);
  const port = await relay.port('wspubsub');
  const owner = await connectWs(t, port, `/ws/pub/${KEY}/d/a`);
  const nobody = await joinTopic(t, 'wspubsub', port, 'nobody', null);
  await reload(relay, file, textOf(readers as Policy, 'doors'));
  await reload(relay, file, textOf(open as Policy, 'top'));
  owner.send('still open');
  t.is(await nobody.next(), 'still open', 'everybody could read all the time');
  await reload(relay, file, textOf(closed as Policy, 'doors'));
  t.deepEqual(await nobody.next(), { code: 1008, reason: 'revoked' });
  const one = await joinTopic(t, 'wspubsub', port, 'one', credentials.one);
  await reload(relay, file, textOf(open as Policy, 'top'));
  await reload(relay, file, textOf(all['jwt'] as Policy, 'top'));
  owner.send('open again');
  t.is(await one.next(), 'open again');
});

test('who publishes without a credential goes on with what everybody may, and is told when it is not enough', async (t) => {
  const { all } = await policies(t);
  const file = configFile(t, textOf(all['none'] as Policy, 'top'));
  const relay = runRelay(t, ['--config', file, '--set', 'log.format=json']);
  const port = await relay.port('pusu');
  const publish = JSON.stringify({ type: 'publish', channel: 'a', content: 'x' });
  const [reader, publisher] = [await joinTopic(t, 'pusu', port, 'nobody', null), await connectWs(t, port)];
  publisher.send(publish);
  await reader.got.find((got) => got === publish);
  await reload(relay, file, textOf(all['readers'] as Policy, 'top'));
  publisher.send(publish);
  await publisher.got.find((got) => String(got).includes('permission_denied'));
  t.is(endOf(reader), undefined);
  const late = await connectWs(t, port);
  await reload(relay, file, textOf(all['passwords'] as Policy, 'top'));
  for (const client of [reader, late])
    await client.got.find((got) => typeof got === 'object' && 'code' in got && got.reason === 'revoked');
});

test('where the new authenticator is away, what the old one gave to everybody is gone all the same', async (t) => {
  const { credentials, all } = await policies(t);
  const file = configFile(t, textOf(all['none'] as Policy, 'top'));
  const relay = runRelay(t, ['--config', file, '--set', 'log.format=json']);
  const client = await joinTopic(t, 'pusu', await relay.port('pusu'), 'one', credentials.one);
  const away = { authenticator: 'JWT', jwt: { jwks: 'http://127.0.0.1:9/' } };
  await reload(relay, file, textOf({ settings: away, lets: [] }, 'top'));
  const took = servedTime(t);
  await client.got.find((got) => typeof got === 'object' && 'code' in got && got.reason === 'revoked');
  t.true(took() < PROMISED, `${took()} ms`);
});
