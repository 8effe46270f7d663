import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { describeFailure } from '../../src/http/port.ts';
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
