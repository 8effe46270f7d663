import test from 'ava';
import { parseFrames } from '../door/parse-frames.ts';
import { eventually } from '../support/arrivals.ts';
import { clientFrame, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

const PING = 9;
const PONG = 10;
const TEXT = 1;
const PAIRS = 500;

test('pings among messages end nothing: all messages are delivered, and the last ping of a burst is answered', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const neighbour = await connectWs(t, relay.port('pinghub'), '/t');
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(upgradeRequest());
  await client.until('\r\n\r\n');
  const pairs = Array.from({ length: PAIRS }, (_, i) => [
    clientFrame(`ping ${i}`, PING),
    clientFrame(`text ${i}`),
  ]);
  client.send(Buffer.concat(pairs.flat()));
  await client.until(`ping ${PAIRS - 1}`);
  await client.until(`text ${PAIRS - 1}`);
  const texts = Array.from({ length: PAIRS }, (_, i) => `text ${i}`);
  t.deepEqual(await neighbour.take(PAIRS), texts);
  const frames = () => {
    const all = Buffer.from(client.received(), 'latin1');
    return parseFrames(all.subarray(all.indexOf('\r\n\r\n') + 4));
  };
  const got = (opcode: number) =>
    frames()
      .filter((frame) => frame.opcode === opcode)
      .map(({ payload }) => String(payload));
  t.deepEqual(got(TEXT), texts);
  const answered = got(PONG).map((text) => Number(text.slice(5)));
  t.deepEqual(
    answered,
    [...new Set(answered)].sort((a, b) => a - b),
  );
  client.send(clientFrame('alone', PING));
  await eventually(() => got(PONG).at(-1) === 'alone', 'a pong for a ping that comes alone');
  client.send(clientFrame('', 8));
  await client.end();
  t.like(await relay.closed(), { code: 1005, reason: 'closed by client', in: PAIRS });
});
