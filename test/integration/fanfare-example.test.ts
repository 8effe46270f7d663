import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { packageRoot } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

/** The example session of `doc/fanfare.1.md`, frame by frame: one connection for each block. */
function blocks(): string[][] {
  const page = readFileSync(join(packageRoot, 'doc', 'fanfare.1.md'), 'utf8');
  return [...page.matchAll(/^```session\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
    text.trimEnd().split('\n'),
  );
}

/** `epoch`: what stands for `E`; null: not known yet. Returns it. */
async function play(
  t: ExecutionContext,
  relay: TestRelay,
  lines: readonly string[],
  epoch: string | null,
): Promise<string | null> {
  const client = await connectWs(t, relay.port('pusu'), '/', { protocols: ['fanfare.1', 'pusu'] });
  let known = epoch;
  const written = (line: string) => (known === null ? line : line.replaceAll('"E:', `"${known}:`));
  for (const line of lines) {
    const frame = line.slice(2);
    if (line.startsWith('>')) {
      client.send(written(frame));
      continue;
    }
    const got = String(await client.next());
    known ??= /"at":"([0-9a-z]+):/.exec(got)?.[1] ?? null;
    t.is(got, written(frame));
  }
  // Without a word: the network is gone.
  client.webSocket.terminate();
  return known;
}

test('the example session of the documentation is what a relay says', async (t) => {
  const relay = await startTestRelay(t, {
    node: 'relay-1',
    doors: { pusu: {} },
    authenticator: 'PasswordAuthenticator',
    passwords: { secret: ['chat.*'] },
    topics: [{ pattern: 'chat.*', history: true }],
  });
  const [first = [], second = []] = blocks();
  t.true(first.length > 5 && second.length > 10);
  const epoch = await play(t, relay, first, null);
  t.like(await relay.closed(), { code: 1006 });
  const other = await connectWs(t, relay.port('pusu'), '/', { protocols: ['fanfare.1'] });
  other.send('{"type":"authorize","authorization":"secret"}');
  for (const content of ['two', 'three'])
    other.send(JSON.stringify({ type: 'publish', channel: 'chat.1', content }));
  other.send('{"type":"ping"}');
  await other.got.find((one) => one === '{"type":"pong"}');
  await play(t, relay, second, epoch);
});
