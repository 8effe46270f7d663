import test from 'ava';
import { ask as askAdmin } from '../support/admin.ts';
import { ask, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';

const says = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' };
const inHead = /^HTTP[\s\S]*\r\nCache-Control: no-store, no-transform\r\n[\s\S]*X-Accel-Buffering: no\r\n/;

test('answers tell proxies to pass them on as they are and at once', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {}, wspubsub: {} } });
  const port = relay.port('pinghub');
  t.like((await ask(port, '/t', { method: 'POST', body: 'x' })).headers, says);
  t.like((await ask(port, '/t')).headers, says, 'the page');
  t.like((await ask(port, '/t', { method: 'PUT' })).headers, says, 'a refusal');
  t.like((await ask(relay.port('pusu'), '/')).headers, says);
  t.like((await ask(relay.port('wspubsub'), '/none')).headers, says);
  const refused = await connectRaw(t, port);
  refused.send(upgradeRequest({ 'Sec-WebSocket-Version': '12' }));
  t.regex(await refused.end(), inHead);
});

test('streams do, those of the observer page too', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  t.regex(await stream.until('\r\n\r\n'), inHead);
  const feed = await connectRaw(t, relay.port('admin'));
  feed.send('GET /observer/feed HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.regex(await feed.until('\r\n\r\n'), inHead);
  t.like((await askAdmin(relay.port('admin'), '/health/live')).headers, says);
});
