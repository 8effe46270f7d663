// The chat of the example: a relay, and a web server for its page. Enter stops the relay for five seconds, as an update of
// it would; Ctrl-C ends both. usage: node client/example/start.js [PORT], of the page; 0: a free one
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'fanfare-example-'));

/** The same port for every relay of this run, so that pages find the next one. */
const relayPort = await freePort();
let relay = startRelay();

const page = createServer(({ url = '/' }, response) => {
  const [path = '/'] = url.split('?');
  const [, script] = /^\/client\/([\w-]+\.js)$/.exec(path) ?? [];
  try {
    if (path === '/') answer(response, 'text/html', readFileSync(join(here, 'index.html')));
    else if (path === '/chat.js') answer(response, 'text/javascript', readFileSync(join(here, 'chat.js')));
    else if (path === '/relay')
      answer(response, 'application/json', JSON.stringify(`ws://127.0.0.1:${relayPort}`));
    else if (script) answer(response, 'text/javascript', readFileSync(join(root, 'client', 'dist', script)));
    else response.writeHead(404).end();
  } catch {
    response.writeHead(404).end();
  }
});
page.listen(Number(process.argv[2] ?? 8088), '127.0.0.1');
await once(page, 'listening');
process.stdout.write(`The chat: http://127.0.0.1:${page.address().port}/  (open it twice)\n`);
process.stdout.write(`Its relay: ws://127.0.0.1:${relayPort}\n`);
process.stdout.write('Enter stops the relay for five seconds; Ctrl-C ends.\n');

const lines = createInterface({ input: process.stdin });
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    lines.close();
    page.closeAllConnections();
    page.close();
  });
page.once('close', () => {
  relay.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

for await (const _ of lines) {
  process.stdout.write('The relay stops …\n');
  const ended = once(relay, 'exit');
  relay.kill('SIGTERM');
  await ended;
  await sleep(5000);
  relay = startRelay();
  process.stdout.write('… and is back.\n');
}

function startRelay() {
  const args = [
    'dist/start.js',
    '--config',
    join(here, 'relay.yaml'),
    '--set',
    `doors.pusu.port=${relayPort}`,
  ];
  // Settings of another relay are not meant for this one.
  const env = { PATH: process.env.PATH, FANFARE_VAR_DIR: folder };
  return spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answer(response, type, body) {
  response
    .writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' })
    .end(body);
}
