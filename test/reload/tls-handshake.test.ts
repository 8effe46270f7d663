import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import test from 'ava';
import { selfSigned } from '../support/certificate.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startTestRelay, testConfig } from '../support/relay.ts';

test('another limits.handshake counts for the TLS of connections to come, and those that are open stay', async (t) => {
  const { cert, key } = selfSigned(t);
  const doors = { pinghub: { tls: { cert, key } } };
  const relay = await startTestRelay(t, { doors, limits: { keep_alive: '60s' } });
  const port = relay.port('pinghub');
  const before = connect({ host: '127.0.0.1', port, ca: readFileSync(cert) });
  t.teardown(() => before.destroy());
  const answer = async () => {
    before.write('POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    return String((await once(before, 'data'))[0]).slice(0, 12);
  };
  t.is(await answer(), 'HTTP/1.1 200');
  const config = testConfig({ doors, limits: { keep_alive: '60s', handshake: '200ms' } });
  t.like(await relay.relay.reload(() => ({ ok: true, config })), { applied: ['limits.handshake'] });
  const silent = await connectRaw(t, port);
  t.is(await silent.end(), '');
  t.like(await relay.log.find(({ msg }) => msg === 'not admitted'), { door: 'pinghub', why: 'tls' });
  t.is(await answer(), 'HTTP/1.1 200');
});
