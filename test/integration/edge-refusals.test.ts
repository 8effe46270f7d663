import test, { type ExecutionContext } from 'ava';
import { ask as askAdmin, parseMetrics } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { selfSigned } from '../support/certificate.ts';
import { connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';

type Door = 'pusu' | 'wspubsub' | 'pinghub';

/** Every way to be turned away at a door, in bytes. */
interface Bad {
  readonly what: string;
  /** By door: the status line's code and the first line of the body. */
  readonly answer: Readonly<Partial<Record<Door, readonly [status: number, body: string]>>>;
  readonly bytes: (door: Door) => string | Buffer;
  /** How it is counted; the status when it is not said. */
  readonly reason?: string;
  /** How long a request may take. */
  readonly handshake?: string;
}

const PATHS = { pusu: '/', wspubsub: '/ws/sub/a.com/t', pinghub: '/t' } as const;
const plain = (method: string, path: string, more = '', body = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}${more}\r\n${body}`;
const upgrade =
  (changes: Parameters<typeof upgradeRequest>[0], line?: (door: Door) => string) => (door: Door) =>
    upgradeRequest(changes, line?.(door) ?? `GET ${PATHS[door]} HTTP/1.1`);
const everywhere = (status: number, body: string) => {
  const one = [status, body] as const;
  return { pusu: one, wspubsub: one, pinghub: one };
};
const evil = { Origin: 'https://evil.example' };
const bearer = (password: string) => ({ Authorization: `Bearer ${password}` });
const basic = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`u:${password}`).toString('base64')}`,
});
const unauthorised = {
  wspubsub: [401, 'Unauthorized'],
  pinghub: [401, 'Unauthorized'],
} as const;
const forbidden = { wspubsub: [403, 'Forbidden'], pinghub: [403, 'Forbidden'] } as const;

const bad: readonly Bad[] = [
  {
    what: 'no HTTP',
    answer: everywhere(400, 'Error: bad request. This is no HTTP.'),
    bytes: () => 'HELO\r\n\r\n',
  },
  {
    what: 'TLS where there is none',
    answer: everywhere(400, 'Error: bad request. This is no HTTP.'),
    bytes: () => Buffer.from('1603010200010001', 'hex'),
  },
  {
    what: 'a PROXY header that is not expected',
    answer: everywhere(400, 'Error: bad request. This is no HTTP.'),
    bytes: (door) => `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${upgrade({})(door)}`,
  },
  {
    what: 'a head of more than 16 KiB',
    answer: everywhere(431, 'Error: the head of the request has more than 16384 bytes (limits.head).'),
    bytes: upgrade({ X: 'x'.repeat(16 * 1024) }),
  },
  {
    what: 'a head that does not end',
    answer: everywhere(408, 'Error: the request took too long.'),
    bytes: () => 'GET / HTTP/1.1\r\nHost: a\r\n',
    handshake: '300ms',
  },
  {
    what: 'no Host',
    answer: everywhere(400, 'Error: bad request. Exactly one Host header is required.'),
    bytes: (door) => `GET ${PATHS[door]} HTTP/1.1\r\nConnection: close\r\n\r\n`,
  },
  {
    what: 'two Hosts',
    answer: everywhere(400, 'Error: bad request. Exactly one Host header is required.'),
    bytes: (door) => plain('GET', PATHS[door], 'Host: b\r\n'),
  },
  {
    what: 'an expectation',
    answer: everywhere(417, 'Error: expectation failed.'),
    bytes: (door) => plain('POST', PATHS[door], 'Expect: more\r\n', 'x'),
  },
  {
    what: 'CONNECT',
    answer: everywhere(400, 'Error: bad request. An upgrade must be a GET request.'),
    bytes: () => 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
  },
  {
    what: 'another version of WebSocket',
    answer: everywhere(426, 'Error: bad request. Sec-WebSocket-Version must be 13.'),
    bytes: upgrade({ 'Sec-WebSocket-Version': '8' }),
  },
  {
    what: 'another origin',
    answer: everywhere(403, 'Forbidden'),
    bytes: upgrade(evil),
    reason: 'origin',
  },
  {
    what: 'two origins',
    answer: everywhere(403, 'Forbidden'),
    bytes: upgrade({ Origin: ['https://a.example', 'https://a.example'] }),
    reason: 'origin',
  },
  {
    what: 'another port of the origin',
    answer: everywhere(403, 'Forbidden'),
    bytes: upgrade({ Origin: 'https://a.example:444' }),
    reason: 'origin',
  },
  {
    what: 'another scheme of the origin',
    answer: everywhere(403, 'Forbidden'),
    bytes: upgrade({ Origin: 'http://a.example' }),
    reason: 'origin',
  },
  { what: 'no credential', answer: unauthorised, bytes: upgrade({}) },
  { what: 'a wrong password by Bearer', answer: unauthorised, bytes: upgrade(bearer('bad')) },
  { what: 'a wrong password by Basic', answer: unauthorised, bytes: upgrade(basic('bad')) },
  {
    what: 'a wrong access_token',
    answer: unauthorised,
    bytes: upgrade({}, (door) => `GET ${PATHS[door]}?access_token=bad HTTP/1.1`),
  },
  { what: 'a right elsewhere alone', answer: forbidden, bytes: upgrade(bearer('narrow')) },
  {
    what: 'a topic without an owner',
    answer: { wspubsub: [404, 'Not Found'] },
    bytes: upgrade(bearer('good')),
  },
  {
    what: 'a wrong key',
    answer: { wspubsub: [403, 'Forbidden'] },
    bytes: () => upgradeRequest({}, 'GET /ws/pub/bad/a.com/t HTTP/1.1'),
  },
  {
    what: 'too few parts',
    answer: { wspubsub: [400, ''] },
    bytes: () => upgradeRequest({}, 'GET /ws/pub/key HTTP/1.1'),
  },
  {
    what: 'a method that there is not',
    answer: { pusu: [405, ''], wspubsub: [405, ''], pinghub: [405, ''] },
    bytes: (door) => plain('DELETE', PATHS[door]),
  },
  {
    what: 'a path that is not UTF-8',
    answer: { pinghub: [400, ''], wspubsub: [400, ''] },
    bytes: (door) => upgradeRequest({}, `GET ${door === 'pinghub' ? '/%ff' : '/ws/sub/a.com/%ff'} HTTP/1.1`),
  },
  {
    what: 'a body that is too large',
    answer: { pinghub: [413, 'Error: message too large.'] },
    bytes: () => plain('POST', '/t', 'Authorization: Bearer good\r\n', 'x'.repeat(64 * 1024 + 1)),
  },
  {
    what: 'a body that is compressed',
    answer: { pinghub: [415, 'Error: the body must not be compressed.'] },
    bytes: () => plain('POST', '/t', 'Content-Encoding: gzip\r\n', '\x1f\x8b'),
  },
  {
    what: 'a body that is compressed on the way',
    answer: everywhere(501, 'Error: the only transfer coding is chunked.'),
    bytes: (door) => plain('POST', PATHS[door], 'Transfer-Encoding: gzip, chunked\r\n'),
  },
  {
    what: 'a chunk that is none',
    answer: { pinghub: [400, 'Error: bad request. This is no HTTP.'] },
    bytes: () =>
      `${plain('POST', '/t', 'Authorization: Bearer good\r\nTransfer-Encoding: chunked\r\n')}zz\r\n`,
  },
];

const open = (t: ExecutionContext, more: Readonly<Record<string, unknown>> = {}): Promise<TestRelay> => {
  const authenticator = 'PasswordAuthenticator';
  const passwords = { good: ['*'], narrow: ['other'] };
  const origin = 'https://a.example';
  const apikeys = { list: [{ domain: 'a.com', key: 'key' }] };
  return startTestRelay(t, {
    doors: {
      pusu: { authenticator, passwords, origin },
      wspubsub: { authenticator, passwords, origin, apikeys },
      pinghub: { authenticator, passwords, origin },
    },
    // A busy machine is no slow client.
    limits: { handshake: '60s' },
    ...more,
  });
};

async function counted(relay: TestRelay): Promise<ReadonlyMap<string, number>> {
  const { body } = await askAdmin(relay.port('admin'), '/metrics');
  return parseMetrics(body).get('fanfare_refusals_total') ?? new Map();
}

/** These refusals and no others, each counted in its own time: the client may have its answer before. */
async function areCounted(
  t: ExecutionContext,
  relay: TestRelay,
  expected: readonly (readonly [labels: string, count: number])[],
): Promise<void> {
  const sum = (counts: Iterable<number>) => [...counts].reduce((all, count) => all + count, 0);
  const all = sum(expected.map(([, count]) => count));
  let found: ReadonlyMap<string, number> = new Map();
  await eventually(async () => {
    found = await counted(relay);
    return sum(found.values()) >= all;
  }, 'as many are counted');
  // What is known to happen is there from the start, with 0.
  t.deepEqual([...found].filter(([, count]) => count > 0).sort(), [...expected].sort());
}

for (const { what, answer, bytes, reason, handshake } of bad)
  test(`refused with the same words, and counted by its reason: ${what}`, async (t) => {
    const relay = await open(t, handshake === undefined ? {} : { limits: { handshake } });
    const expected: (readonly [string, number])[] = [];
    for (const [door, [status, body]] of Object.entries(answer)) {
      const client = await connectRaw(t, relay.port(door));
      client.send(bytes(door as Door));
      const got = await client.end();
      t.is(Number(got.slice(9, 12)), status, `${door}: ${got}`);
      const said = got.slice(got.indexOf('\r\n\r\n') + 4).split('\n')[0];
      if (body !== '') t.is(said, body, door);
      expected.push([`{door="${door}",reason="${reason ?? status}"}`, 1]);
      await areCounted(t, relay, expected);
    }
  });

test('a client that speaks no TLS where it must, or sends no PROXY header, is counted at its door', async (t) => {
  const { cert, key } = selfSigned(t);
  const relay = await startTestRelay(t, {
    doors: {
      pusu: { tls: { cert, key } },
      pinghub: { trusted_proxies: ['127.0.0.1'], proxy_protocol: true },
    },
  });
  for (const door of ['pusu', 'pinghub']) {
    const client = await connectRaw(t, relay.port(door));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    t.notRegex(await client.end(), /HTTP/);
  }
  await areCounted(t, relay, [
    ['{door="pusu",reason="tls"}', 1],
    ['{door="pinghub",reason="proxy-header"}', 1],
  ]);
  t.not(relay.log.all.findLast(({ why }) => why === 'tls')?.['address'], 'local');
});

test('a client that goes before it has asked for anything is no refusal', async (t) => {
  const relay = await open(t);
  const client = await connectRaw(t, relay.port('pusu'));
  client.socket.write('GET /');
  client.socket.resetAndDestroy();
  const other = await connectRaw(t, relay.port('pusu'));
  other.send('HELO\r\n\r\n');
  await other.end();
  await eventually(
    () => relay.log.all.filter(({ msg }) => msg === 'refused').length === 1,
    'the second alone',
  );
  await areCounted(t, relay, [['{door="pusu",reason="400"}', 1]]);
});
