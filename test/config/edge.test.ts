import test from 'ava';
import { accepted, refused, warned } from './support.ts';

test('each door takes one origin, a list of them, none at all, or any', (t) => {
  const { pusu, wspubsub, pinghub } = accepted(`doors:
  pusu: { origin: https://A.example }
  wspubsub: { origin: [https://a.example, "http://*.b.example:8080"] }
  pinghub: { origin: [] }
`).doors;
  t.deepEqual(pusu?.origin, ['https://a.example']);
  t.deepEqual(wspubsub?.origin, ['https://a.example', 'http://*.b.example:8080']);
  t.deepEqual(pinghub?.origin, []);
  t.is(accepted('doors: { pusu: { origin: null } }').doors.pusu?.origin, null);
});

test('the origins of apps are listed in quotes; without them null is no origin of a list', (t) => {
  const { pusu } = accepted(
    'doors: { pusu: { origin: ["null", "file://", "capacitor://localhost"] } }',
  ).doors;
  t.deepEqual(pusu?.origin, ['null', 'file://', 'capacitor://localhost']);
  t.deepEqual(accepted('doors: { pusu: { origin: "null" } }').doors.pusu?.origin, ['null']);
  t.is(refused('doors: { pusu: { origin: [null] } }').length, 1);
});

test('a fault in a list of origins is found at its place', (t) => {
  t.deepEqual(refused('doors:\n  pusu:\n    origin: [https://a.example, "*", https://b/]\n'), [
    'relay.yaml:3:33 doors.pusu.origin[1]: an origin such as https://chat.example.com (scheme://host or scheme://host:port, no path; *.host for all below it; "null" or "file://" in quotes), or null',
    'relay.yaml:3:38 doors.pusu.origin[2]: an origin such as https://chat.example.com (scheme://host or scheme://host:port, no path; *.host for all below it; "null" or "file://" in quotes), or null',
  ]);
});

test('paths of certificates start at the folder of the file', (t) => {
  const { pusu, pinghub } = accepted(`doors:
  pusu: { tls: { cert: tls/cert.pem, key: /etc/key.pem } }
  pinghub: { tls: }
`).doors;
  t.deepEqual(pusu?.tls, { cert: 'tls/cert.pem', key: '/etc/key.pem' });
  t.is(pinghub?.tls, null);
});

test('a certificate and its key go together', (t) => {
  t.deepEqual(refused('doors: { pusu: { tls: { cert: a } } }'), [
    'relay.yaml:1:31 doors.pusu.tls.key: the file of the key, beside tls.cert',
  ]);
  t.deepEqual(refused('doors: { wspubsub: { tls: { key: a } } }'), [
    'relay.yaml:1:34 doors.wspubsub.tls.cert: the file of the certificate, beside tls.key',
  ]);
});

test('proxies are addresses, blocks, or whoever comes by a UNIX socket', (t) => {
  const proxies = ['10.0.0.1', 'fd00::/8', 'unix:'];
  t.deepEqual(
    accepted(`doors: { pusu: { trusted_proxies: ${JSON.stringify(proxies)} } }`).doors.pusu?.trustedProxies,
    proxies,
  );
  t.deepEqual(refused('doors: { pusu: { trusted_proxies: [10.0.0.1, proxy.example] } }'), [
    'relay.yaml:1:46 doors.pusu.trusted_proxies[1]: an IP address or a block such as 10.0.0.0/8',
  ]);
});

test('a PROXY header needs somebody who may send it', (t) => {
  t.deepEqual(refused('doors: { pusu: { proxy_protocol: true } }'), [
    'relay.yaml:1:34 doors.pusu.trusted_proxies: the addresses of the proxies that send the PROXY header',
  ]);
  const text = (more: string): string =>
    `doors: { pinghub: { proxy_protocol: true, trusted_proxies: ["unix:"], socket: /s${more} } }`;
  t.true(accepted(text('')).doors.pinghub?.proxyProtocol);
  t.deepEqual(refused(text(', tls: { cert: a, key: b }')), [
    'relay.yaml:1:37 doors.pinghub.proxy_protocol: false on a UNIX socket with TLS; X-Forwarded-For names the client there',
  ]);
});

test('the limits of clients have defaults and may be switched off', (t) => {
  t.like(accepted('').limits, { failedAuthorisations: 10, publishRate: 0 });
  t.like(accepted('limits: { failed_authorisations: 0, publish_rate: 5 }').limits, {
    failedAuthorisations: 0,
    publishRate: 5,
  });
  t.deepEqual(warned('limits: { failed_authorisations: 0 }'), []);
});

test('a door takes the name of a cookie, and warns where no list of origins says who may send it', (t) => {
  const { doors } = accepted(
    'doors: { pusu: { cookie: __Host-sid, origin: https://a.example }, pinghub: true }',
  );
  t.is(doors.pusu?.cookie, '__Host-sid');
  t.is(doors.pinghub?.cookie, null);
  t.is(accepted(`doors: { pusu: { cookie: ${'a'.repeat(128)} } }`).doors.pusu?.cookie?.length, 128);
  t.deepEqual(warned('doors: { pusu: { cookie: sid } }'), [
    "relay.yaml:1:26 doors.pusu.cookie: without doors.pusu.origin it counts for pages of the door's own origin alone",
  ]);
  t.deepEqual(warned('doors: { pusu: { cookie: sid, origin: https://a.example } }'), []);
  for (const bad of ['a b', 'a=b', 'a;b', '""', 'é', 'a'.repeat(129)])
    t.is(refused(`doors: { pusu: { cookie: ${bad} } }`).length, 1, bad);
});
