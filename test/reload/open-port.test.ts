import { Agent, request as httpRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import test, { type ExecutionContext } from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { selfSigned } from '../support/certificate.ts';
import { proxyV2 } from '../support/proxy-header.ts';
import { ask, connectRaw } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

type Settings = Parameters<typeof testConfig>[0];
type Door = Readonly<Record<string, unknown>>;

const RELOADS = 10;
/** Clients that ask all the time: half of them on a connection for each request, half on one that they keep. */
const CLIENTS = 16;

async function reload(t: ExecutionContext, relay: TestRelay, settings: Settings): Promise<void> {
  const reloaded = await relay.relay.reload(() => ({ ok: true, config: testConfig(settings) }));
  t.deepEqual(reloaded.errors, []);
  t.deepEqual(reloaded.needsRestart, []);
}

interface Stream {
  readonly answered: () => number;
  /** Waits until so many more requests have been answered. */
  more(count: number): Promise<void>;
  /** Ends it. Returns what went wrong, by what it was. */
  end(): Promise<Readonly<Record<string, number>>>;
}

/** Requests without a pause. */
function steadily(port: number, ca?: Buffer): Stream {
  const failures: Record<string, number> = {};
  const waiting = new Set<() => void>();
  let answered = 0;
  let going = true;
  const once = (agent: Agent | false): Promise<void> =>
    new Promise((resolve) => {
      const failed = (error: NodeJS.ErrnoException) => {
        const why = error.code ?? error.message;
        failures[why] = (failures[why] ?? 0) + 1;
        resolve();
      };
      const at = { host: '127.0.0.1', port, path: '/t', method: 'POST', agent, ca };
      const outgoing = (ca === undefined ? httpRequest : tlsRequest)(at, (response) => {
        response.resume().on('error', failed);
        response.on('end', () => {
          if (response.statusCode !== 200) failures[String(response.statusCode)] = 1;
          answered++;
          for (const look of waiting) look();
          resolve();
        });
      });
      outgoing.on('error', failed);
      outgoing.end('x');
    });
  const agents: (Agent | TlsAgent)[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_, n) => {
    const kept = ca === undefined ? new Agent({ keepAlive: true }) : new TlsAgent({ keepAlive: true });
    agents.push(kept);
    while (going) await once(n % 2 === 0 ? false : kept);
  });
  return {
    answered: () => answered,
    more: (count) => {
      const wanted = answered + count;
      return new Promise((resolve) => {
        const look = () => {
          if (answered < wanted) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    end: async () => {
      going = false;
      await Promise.all(clients);
      for (const agent of agents) agent.destroy();
      return failures;
    },
  };
}

const pinghub = (door: Door): Settings => ({ doors: { pinghub: { metrics_port: null, ...door } } });

for (const [what, one, other] of [
  ['origin', { origin: 'https://a.example.com' }, { origin: null }],
  ['trusted_proxies', { trusted_proxies: ['192.0.2.1'] }, {}],
  ['proxy_protocol', { trusted_proxies: ['192.0.2.1'], proxy_protocol: true }, {}],
  ['the port of the metrics', { metrics_port: 0 }, { metrics_port: null }],
  ['the authenticator', { authenticator: null }, { authenticator: 'None' }],
] as const) {
  test(`ten reloads that change ${what} refuse nobody and cut nothing`, async (t) => {
    const relay = await startTestRelay(t, pinghub(other));
    const stream = steadily(relay.port('pinghub'));
    await stream.more(100);
    for (let n = 0; n < RELOADS; n++) {
      await reload(t, relay, pinghub(n % 2 === 0 ? one : other));
      await stream.more(20);
    }
    t.deepEqual(await stream.end(), {});
    t.true(stream.answered() > 300);
    t.is(relay.log.all.filter(({ msg, door }) => msg === 'listening' && door === 'pinghub').length, 1);
  });
}

test('ten reloads that change the certificate refuse nobody and cut nothing', async (t) => {
  const pairs = [selfSigned(t, 'one'), selfSigned(t, 'two')];
  const door = (n: number) => {
    const { cert = '', key = '' } = pairs[n % 2] ?? {};
    return pinghub({ tls: { cert, key } });
  };
  const relay = await startTestRelay(t, door(0));
  const ca = Buffer.concat(pairs.map((pair) => pair.ca));
  const stream = steadily(relay.port('pinghub'), ca);
  await stream.more(50);
  for (let n = 1; n <= RELOADS; n++) {
    await reload(t, relay, door(n));
    await stream.more(20);
  }
  t.deepEqual(await stream.end(), {});
  t.is(relay.log.all.filter(({ msg, door: name }) => msg === 'listening' && name === 'pinghub').length, 1);
});

test('a port that changes from plain HTTP to TLS and back stays open, and who is in stays as he came', async (t) => {
  const { cert, key, ca } = selfSigned(t);
  const relay = await startTestRelay(t, pinghub({}));
  const port = relay.port('pinghub');
  const plain = await connectWs(t, port, '/t');
  // A request that has begun before, and ends after.
  const begun = await connectRaw(t, port);
  begun.send('POST /t HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n');
  await begun.until('100 Continue');

  await reload(t, relay, pinghub({ tls: { cert, key } }));
  const secure = await connectWs(t, `wss://127.0.0.1:${port}`, '/t', { ca });
  t.is((await ask(port, '/t', { method: 'POST', body: 'a', ca })).status, 200);
  await t.throwsAsync(ask(port, '/t', { method: 'POST', body: 'a' }));
  begun.send('y');
  await begun.until('OK\n');

  await reload(t, relay, pinghub({}));
  t.is((await ask(port, '/t', { method: 'POST', body: 'b' })).status, 200);
  await t.throwsAsync(ask(port, '/t', { method: 'POST', body: 'b', ca }));
  t.deepEqual(await plain.take(3), ['a', 'y', 'b']);
  t.deepEqual(await secure.take(3), ['a', 'y', 'b']);
  t.is(relay.log.all.filter(({ msg, door }) => msg === 'listening' && door === 'pinghub').length, 1);
});

test('proxies that a reload trusts are believed from then on, and those that it no longer trusts are not', async (t) => {
  const open = { trusted_proxies: ['127.0.0.1'] };
  const relay = await startTestRelay(t, pinghub({}));
  const port = relay.port('pinghub');
  const seen = async (headers: Record<string, string>) => {
    const client = await connectWs(t, port, '/t', { headers });
    await client.leave();
    return (await relay.closed())['address'];
  };
  const forwarded = { 'X-Forwarded-For': '192.0.2.7' };
  t.is(await seen(forwarded), '127.0.0.1');
  await reload(t, relay, pinghub(open));
  t.is(await seen(forwarded), '192.0.2.7');
  await reload(t, relay, pinghub({ ...open, proxy_protocol: true }));
  const raw = await connectRaw(t, port);
  raw.send(proxyV2('192.0.2.8'));
  raw.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await raw.until('200 OK');
  raw.socket.destroy();
  t.is((await relay.closed())['address'], '192.0.2.8');
  await reload(t, relay, pinghub({}));
  t.is(await seen(forwarded), '127.0.0.1');
});

test('a listener that is started anew after a crash has the settings of the last reload', async (t) => {
  const relay = await startTestRelay(t, pinghub({}));
  await reload(t, relay, pinghub({ origin: 'https://a.example.com' }));
  const listener = [...relay.relay.system.processes.values()].find(({ name }) => name === 'listener.pinghub');
  exit(listener as Pid<never>, 'kill');
  await relay.log.count(({ msg, door }) => msg === 'listening' && door === 'pinghub', 2);
  const headers = { origin: 'https://b.example.com' };
  t.is((await refusedWs(t, relay.port('pinghub'), '/t', { headers })).status, 403);
});
