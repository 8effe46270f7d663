import { once } from 'node:events';
import { chmodSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { describeFailure, openPort, type Place, type PortMessage } from '../../src/http/port.ts';
import { keep } from '../../src/otp/behaviour.ts';
import { exit } from '../../src/otp/signal.ts';
import { eventually } from '../support/arrivals.ts';
import { spawnOk, testSystem } from '../support/otp.ts';
import { temporaryFolder } from '../support/relay-process.ts';

/** What is said when a socket cannot be made there. */
async function said(path: string): Promise<string> {
  const server = createServer();
  server.listen(path);
  const [error] = (await once(server, 'error')) as [Error];
  return describeFailure(error, { socket: path });
}

test('a socket whose folder is missing, or is none, is not called a lack of permission', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  for (const [path, why] of [
    ['missing/a.sock', `there is no folder ${folder}/missing`],
    ['missing/deeper/a.sock', `there is no folder ${folder}/missing/deeper`],
    ['file/a.sock', `${folder}/file is no folder`],
    ['file/deeper/a.sock', `there is no folder ${folder}/file/deeper`],
  ] as const)
    t.is(await said(join(folder, path)), `cannot listen on ${join(folder, path)}: ${why}`);
});

test('a folder in the place of a socket is called one', async (t) => {
  const folder = join(temporaryFolder(t), 'empty');
  mkdirSync(folder);
  for (const path of [folder, `${folder}/`, `${folder}-new/`])
    t.is(await said(path), `cannot listen on ${path}: it is a folder, and no name for a socket`);
});

test('a plain file in the place of a socket is called one', async (t) => {
  const path = join(temporaryFolder(t), 'precious');
  writeFileSync(path, 'mine');
  t.is(await said(path), `cannot listen on ${path}: a file stands there that is no socket`);
});

test('a socket at which somebody answers is in use', async (t) => {
  const path = join(temporaryFolder(t), 'a.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  t.is(await said(path), `cannot listen on ${path}: the address is in use`);
});

test('what is there and may not be entered is a lack of permission', async (t) => {
  const folder = temporaryFolder(t);
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  const path = join(closed, 'a.sock');
  // Root may.
  const error = process.getuid?.() === 0 ? { code: 'EACCES', name: 'Error', message: '' } : null;
  const text = error === null ? await said(path) : describeFailure(error, { socket: path });
  t.is(text, `cannot listen on ${path}: permission denied`);
});

test('ports are called by their host and number', (t) => {
  const of = (code: string) =>
    describeFailure(Object.assign(new Error(), { code }), { host: '::1', port: 80 });
  t.is(of('EADDRINUSE'), 'cannot listen on ::1:80: the address is in use');
  t.is(of('EACCES'), 'cannot listen on ::1:80: permission denied');
  t.is(of('ENOTFOUND'), 'cannot listen on ::1:80: there is no host of this name');
  t.is(of('EAI_AGAIN'), 'cannot listen on ::1:80: the name of the host cannot be resolved at the moment');
  t.is(of('EADDRNOTAVAIL'), 'cannot listen on ::1:80: this machine has no such address');
});

/** A process that listens; `heard`: what it is told of its port. */
function listening(t: ExecutionContext, at: Place) {
  const { system } = testSystem();
  const heard: PortMessage[] = [];
  const events: string[] = [];
  const server = createServer();
  const pid = spawnOk<null, null, PortMessage>(
    system,
    {
      name: 'listening',
      init(self) {
        openPort(self, server, at, {
          close: () => events.push('closed'),
          missed: () => events.push('missed'),
        });
        return null;
      },
      handle(_state, message) {
        heard.push(message);
        return keep;
      },
    },
    null,
  );
  t.teardown(() => void server.close());
  const told = async (): Promise<PortMessage | undefined> => {
    await eventually(() => heard.length > 0, 'it has heard of its port');
    return heard[0];
  };
  return { pid, server, heard, events, told };
}

test('a port says where it listens, ends with its process, and is its successor’s at once', async (t) => {
  const first = listening(t, { host: '127.0.0.1', port: 0 });
  const message = await first.told();
  if (message?.type !== 'listening' || !('port' in message.at)) return t.fail();
  t.is(message.at.host, '127.0.0.1');
  t.true(message.at.port > 0);
  exit(first.pid, 'kill');
  await eventually(() => first.events.length > 0, 'the port is closed');
  t.deepEqual(first.events, ['closed']);
  t.deepEqual(await listening(t, message.at).told(), { type: 'listening', at: message.at });
});

test('a connection that cannot be accepted is no failure of the port', async (t) => {
  const { server, heard, events, told } = listening(t, { host: '127.0.0.1', port: 0 });
  await told();
  server.emit('error', Object.assign(new Error(), { code: 'EMFILE', syscall: 'accept' }));
  t.deepEqual([events, heard.length], [['missed'], 1]);
});

/** A socket file at which nothing answers any more. */
async function deadSocket(path: string): Promise<void> {
  const server: Server = createServer().listen(`${path}.alive`);
  await once(server, 'listening');
  linkSync(`${path}.alive`, path);
  server.close();
  await once(server, 'close');
}

test('a dead socket is taken over, and one at which a process answers is not', async (t) => {
  const socket = join(temporaryFolder(t), 'a.sock');
  await deadSocket(socket);
  t.deepEqual(await listening(t, { socket }).told(), { type: 'listening', at: { socket } });
  for (const at of [{ socket }, { socket, own: true } as const])
    t.like(await listening(t, at).told(), { type: 'failed', error: { code: 'EADDRINUSE' } });
});

test('a process that ends while a socket is looked at does not listen afterwards', async (t) => {
  const socket = join(temporaryFolder(t), 'a.sock');
  await deadSocket(socket);
  const { pid, server, heard } = listening(t, { socket });
  exit(pid, 'kill');
  const next = listening(t, { socket });
  t.like(await next.told(), { type: 'listening' });
  t.false(server.listening);
  t.deepEqual(heard, []);
});
