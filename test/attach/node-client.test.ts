import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NodeClient, SilentNode, statusOf } from '../../src/attach/client/node-client.ts';
import { type Request, SOCKET_FILE } from '../../src/attach/protocol.ts';
import { temporaryFolder } from '../support/relay-process.ts';

const PATIENCE = 250;

/** A node that greets, and answers what `answer` gives a text for. Returns its folder. */
async function node(t: ExecutionContext, greets: boolean, answer: (request: Request) => string | null) {
  const folder = temporaryFolder(t);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const write = (value: object) => socket.write(`${JSON.stringify(value)}\n`);
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      for (const line of text.trimEnd().split('\n')) {
        const request = JSON.parse(line) as Request;
        const said = answer(request);
        if (said !== null) write({ type: 'answer', id: request.id, ok: true, text: said });
      }
    });
    if (greets) write({ type: 'hello', node: 'a', pid: 1, version: '1', evaluation: true });
  });
  server.listen(join(folder, SOCKET_FILE));
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return folder;
}

test('a node that does not greet in time is silent', async (t) => {
  const folder = await node(t, false, () => null);
  await t.throwsAsync(NodeClient.connect(folder, {}, PATIENCE), { instanceOf: SilentNode });
  await t.throwsAsync(statusOf(folder, PATIENCE), { instanceOf: SilentNode });
});

test('a request to a node that says nothing more is given up, and so is each one after it', async (t) => {
  const folder = await node(t, true, () => null);
  const client = (await NodeClient.connect(folder, {}, PATIENCE)) as NodeClient;
  for (const name of ['one', 'other']) {
    const { ok, text } = await client.call(name, [], 'json');
    t.false(ok);
    t.regex(text, /^the node has not answered for 0\.25 s/);
    t.true(client.isSilent);
  }
  client.close();
});

test('a request may take longer than the patience, as long as the node gives signs of life', async (t) => {
  let asked = 0;
  const folder = await node(t, true, ({ type }) => (type === 'status' && ++asked < 20 ? 'ready' : null));
  const client = (await NodeClient.connect(folder, {}, PATIENCE)) as NodeClient;
  t.false((await client.call('long', [], 'json')).ok);
  t.true(asked >= 20, 'the node was asked whether it lives, and waited for as long as it said so');
  client.close();
});
