import { request } from 'node:https';
import test from 'ava';
import { selfSigned } from '../support/certificate.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const good = 'hunter2-good';
const bad = 'hunter2-bad';

test('no credential reaches the log, whether it is good, wrong, or refused unread', async (t) => {
  const { cert, key, ca } = selfSigned(t);
  const door = `host: 127.0.0.1, port: 0, tls: { cert: ${cert}, key: ${key} }`;
  const relay = runRelay(t, [
    '--config',
    configFile(
      t,
      `authenticator: PasswordAuthenticator
passwords: { ${good}: [allowed] }
doors:
  pusu: { ${door}, cookie: sid }
  wspubsub: { ${door}, apikeys: { list: [{ domain: a.com, key: ${good} }] } }
  pinghub: { ${door}, metrics_port: 0, origin: https://a.example, trusted_proxies: [127.0.0.1] }
network: { port: 0 }
admin: { port: 0 }
limits: { failed_authorisations: 4, exempt: [] }
log: { level: trace, format: json }
`,
    ),
  ]);
  await relay.log.find(({ msg }) => msg === 'ready');
  const at = async (name: string) => `wss://127.0.0.1:${await relay.port(name)}`;
  const [pusu, wspubsub, pinghub] = [await at('pusu'), await at('wspubsub'), await at('pinghub')];
  const header = (value: string) => ({ headers: { authorization: value }, ca });
  const basic = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;

  const client = await connectWs(t, pusu, '/', { ca });
  client.send(JSON.stringify({ type: 'authorize', authorization: good }));
  await client.take(2);
  await (await connectWs(t, wspubsub, `/ws/pub/${good}/a.com/news`, { ca })).leave();
  await (await connectWs(t, pinghub, '/allowed', header(`Bearer ${good}`))).leave();
  await (await connectWs(t, pinghub, '/allowed', header(basic(good)))).leave();
  await (await connectWs(t, pinghub, `/allowed?access_token=${good}`, { ca })).leave();

  await (await connectWs(t, pusu, '/', { ca, protocols: ['bearer', good] })).leave();
  await (await connectWs(t, pusu, '/', { ca, headers: { cookie: `sid=${good}` } })).leave();

  const statuses: number[] = [];
  const refuse = async (where: string, path: string, options: Parameters<typeof refusedWs>[3]) => {
    statuses.push((await refusedWs(t, where, path, options)).status);
  };
  await refuse(pinghub, `/other?access_token=${good}`, { ca });
  await refuse(pinghub, `/allowed?access_token=${good}`, { ca, headers: { origin: 'https://b.example' } });
  await refuse(pusu, '/', { ca, protocols: ['mqtt', good] });
  // Five from one address are one too many.
  const forwarded = { 'x-forwarded-for': '192.0.2.1' };
  for (const authorization of [
    `Bearer ${bad}`,
    basic(bad),
    `Bearer ${bad}`,
    `Bearer ${bad}`,
    `Bearer ${bad}`,
  ]) {
    await refuse(pinghub, '/allowed', { ca, headers: { ...forwarded, authorization } });
  }
  await refuse(wspubsub, `/ws/pub/${bad}/a.com/news`, { ca });
  await refuse(wspubsub, `/ws/pub/${bad}/a.com`, { ca });
  t.deepEqual(statuses, [403, 403, 400, 401, 401, 401, 401, 429, 403, 400]);
  await client.leave();
  await new Promise((resolve) => {
    const outgoing = request(`${pinghub.replace('wss', 'https')}/allowed?access_token=${bad}`, {
      ca,
      method: 'POST',
    });
    outgoing.on('response', resolve).end('x');
  });
  relay.signal('SIGTERM');
  const { out, err, code } = await relay.exited;
  t.is(code, 0);
  const written = out + err;
  for (const what of ['not admitted', 'refused', 'closed', 'failed-authorisations', 'origin'])
    t.true(written.includes(what), what);
  for (const secret of ['hunter2', basic(good).slice(6), basic(bad).slice(6), 'PRIVATE KEY'])
    t.false(written.includes(secret), secret);
});
