import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';

const MB = 1_000_000;

const open = (t: ExecutionContext): Promise<TestRelay> =>
  startTestRelay(t, { doors: { pinghub: {}, pusu: {} } });

/** Sends all before it reads anything, as many clients do, and takes an error for the end. Returns what came. */
async function sendThenRead(t: ExecutionContext, port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  const failed = new Promise<never>((_, reject) => socket.on('error', reject));
  await Promise.race([failed, new Promise((resolve) => socket.write(bytes, resolve))]);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const ended = new Promise((resolve) => socket.on('end', resolve));
  await Promise.race([failed, ended]);
  return answer;
}

for (const size of [5 * MB, 50 * MB])
  for (const [how, headers, wrap] of [
    ['of known length', `Content-Length: ${size}\r\n`, (body: string) => body],
    [
      'in chunks',
      'Transfer-Encoding: chunked\r\n',
      (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ],
    [
      'whose connection ends with it',
      `Connection: close\r\nContent-Length: ${size}\r\n`,
      (body: string) => body,
    ],
  ] as const)
    test(`${size / MB} MB ${how}: a client that sends all before it reads gets the 413`, async (t) => {
      const relay = await open(t);
      const head = `POST /t HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
      const answer = await sendThenRead(t, relay.port('pinghub'), head + wrap('x'.repeat(size)));
      t.regex(
        answer,
        /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n[\s\S]*\r\n\r\nError: message too large\.\n$/,
      );
      await eventually(() => handlers(relay) === 0, 'no handler is left');
    });

/** What curl says, and how it ends. */
function curl(args: readonly string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', ['-sS', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out }));
  });
}

const withCurl = spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0 ? test : test.skip;

for (const [how, more] of [
  ['', []],
  [' in chunks', ['-H', 'Transfer-Encoding: chunked']],
  [' without waiting to be asked for it', ['-H', 'Expect:']],
  [' in chunks, without waiting', ['-H', 'Expect:', '-H', 'Transfer-Encoding: chunked']],
  [' over HTTP/1.0', ['-0']],
  [' with an offer of HTTP/2', ['--http2']],
] as const)
  withCurl(`curl is told of 50 MB${how} that it is too large`, async (t) => {
    const relay = await open(t);
    const file = join(temporaryFolder(t), 'body');
    writeFileSync(file, Buffer.alloc(50 * MB, 'x'));
    const url = `http://127.0.0.1:${relay.port('pinghub')}/t`;
    const { code, out } = await curl(['--data-binary', `@${file}`, '-w', '%{http_code}', ...more, url]);
    t.deepEqual([code, out], [0, 'Error: message too large.\n413']);
  });

test('other refusals arrive as well', async (t) => {
  const relay = await open(t);
  const body = 'x'.repeat(5 * MB);
  const post = (more: string) =>
    `POST /t HTTP/1.1\r\n${more}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (const [door, bytes, status] of [
    ['pinghub', post('Host: a\r\nExpect: more\r\n'), 417],
    ['pinghub', post(''), 400],
    ['pusu', post('Host: a\r\n'), 405],
    ['pusu', `GET /t HTTP/1.1\r\nHost: a\r\nX: ${body}\r\n\r\n`, 431],
    ['pusu', `HELO\r\n${body}`, 400],
  ] as const) {
    const answer = await sendThenRead(t, relay.port(door), bytes);
    t.is(Number(answer.slice(9, 12)), status);
  }
});

test('so do those of what is no request, and of the admin port', async (t) => {
  const relay = await open(t);
  const body = 'x'.repeat(10 * MB);
  const of = (line: string, more = '') =>
    `${line} HTTP/1.1\r\nHost: localhost\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const webSocket = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  for (const [port, bytes, status] of [
    ['pinghub', of('GET /t', webSocket), 400],
    ['pusu', of('GET /t', webSocket), 400],
    ['pusu', of('POST /t', webSocket.replace('Upgrade', 'close, Upgrade')), 405],
    ['pinghub', upgradeRequest({ 'Sec-WebSocket-Key': null }) + body, 400],
    ['pinghub', `CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n${body}`, 400],
    ['admin', of('POST /health'), 413],
    ['admin', of('POST /health', 'Connection: close\r\n'), 413],
    ['admin', of('PUT /health', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), 413],
    ['admin', `HELO\r\n${body}`, 400],
  ] as const) {
    const answer = await sendThenRead(t, relay.port(port), bytes);
    t.is(Number(answer.slice(9, 12)), status, bytes.slice(0, 100));
  }
});

function handlers(relay: TestRelay): number {
  return [...relay.relay.system.processes.values()].filter(
    (process) => process.behaviour.name === 'connection-handler',
  ).length;
}
