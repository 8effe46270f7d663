import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { freePorts } from '../support/cluster.ts';
import { rawExchange } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';

interface Files {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** An authority of its own, and a certificate of it. Null: there is no openssl. */
function certificate(t: ExecutionContext): Files | null {
  const folder = temporaryFolder(t);
  const [ca, caKey, cert, key, request] = ['ca.pem', 'ca.key', 'cert.pem', 'cert.key', 'request'].map(
    (name) => join(folder, name),
  ) as [string, string, string, string, string];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const steps = [
    ['req', '-x509', ...curve, '-keyout', caKey, '-out', ca, '-subj', '/CN=authority', '-days', '2'],
    ['req', ...curve, '-keyout', key, '-out', request, '-subj', '/CN=relay'],
    [
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      ca,
      '-CAkey',
      caKey,
      '-CAcreateserial',
      '-out',
      cert,
      '-days',
      '2',
    ],
  ];
  for (const step of steps) if (spawnSync('openssl', step).status !== 0) return null;
  return { cert, key, ca };
}

test('with certificates of one authority relays are linked without a secret, and nobody else is let in', async (t) => {
  const [ours, theirs] = [certificate(t), certificate(t)];
  if (ours === null || theirs === null) {
    t.log('skipped: no openssl here');
    t.pass();
    return;
  }
  const ports = (await freePorts(3)) as [number, number, number];
  const start = (index: number, tls: Files | null) =>
    startTestRelay(t, {
      node: `n${index}`,
      relays: ports.map((port) => `127.0.0.1:${port}`),
      network: { host: '127.0.0.1', port: ports[index], timeout: '30s', ...(tls === null ? {} : { tls }) },
      doors: { pusu: {} },
    });
  const [a, b, c] = await Promise.all([start(0, ours), start(1, ours), start(2, theirs)]);
  await a.log.find((line) => line.msg === 'linked' && line['peer'] === 'n1');
  await b.log.find((line) => line.msg === 'linked' && line['peer'] === 'n0');
  for (const port of ports.slice(0, 2))
    await c.log.find((line) => line.msg === 'not linked' && line['address'] === `127.0.0.1:${port}`);
  await a.log.find((line) => line.msg === 'not linked' && line['address'] === `127.0.0.1:${ports[2]}`);
  t.is(c.relay.backplane?.network.inbound.size, 0);
  t.is([...(a.relay.backplane?.network.outbound.all() ?? [])].length, 1);
  t.false(a.log.all.some(({ msg }) => msg === 'open network'));
  const answer = await rawExchange(t, ports[0], 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.true(answer.length <= 7, 'at most an alert of TLS');
});
