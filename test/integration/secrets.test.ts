import { createSecretKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { NodeClient } from '../../src/attach/client/node-client.ts';
import type { Style } from '../../src/attach/protocol.ts';
import { startBackEnd } from '../support/back-end.ts';
import { atTheAdminPort, atThePrompt, filesBelow, type Seen, whileTraced } from '../support/inspection.ts';
import { COOKIE, HEADER, offer, spellings } from '../support/offering.ts';
import { post } from '../support/raw-client.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { token } from '../support/tokens.ts';
import { connectWs } from '../support/ws-client.ts';

/** Where each secret is set. */
const PASSWORD = 'correct-horse-battery';
const SET_PASSWORD = 'set-password-garply';
const API_KEY = '0a1b2c3d-aaaa-bbbb-cccc-123456789abc';
const PLUGIN = 'plugin-credential-xyzzy';
const FORWARDED = 'forwarded-credential-plugh';
const JWT_SECRET = 'the-secret-of-the-tokens-that-nobody-would-guess';
const CLUSTER_PASSWORD = 'cluster-password-waldo';
const CLUSTER_TOKEN = 'cluster-token-thud';
const NETWORK_SECRET = 'network-secret-quux-1234';
const POSTGRES = 'postgres-password-grault';
const ENVIRONMENT = 'environment-secret-corge';

const settings = {
  PasswordAuthenticator: { more: `passwords: { ${PASSWORD}: ["*"] }`, good: () => PASSWORD },
  JWT: {
    more: '',
    good: () =>
      token({ channels: { '*': 'rw' }, sub: 'the-subject' }, createSecretKey(Buffer.from(JWT_SECRET))),
  },
  Forward: { more: '', good: () => FORWARDED },
  './mine.mjs': { more: '', good: () => PLUGIN },
} as const;

for (const [authenticator, { more, good }] of Object.entries(settings))
  test(`no secret is in anything that the relay writes or shows, with ${authenticator}`, async (t) => {
    t.timeout(600_000);
    const backEnd = await startBackEnd(t, (request, response) => {
      const uri = String(request.headers['x-original-uri']);
      response.writeHead(uri.startsWith('/bad') ? 500 : 204).end();
    });
    const credential = await good();
    const folder = temporaryFolder(t);
    const isPlain = authenticator === 'PasswordAuthenticator';
    // Keys of a list, of a file, or of a database that is not there.
    const keys = isPlain
      ? `list: [{ domain: d, key: ${API_KEY} }]`
      : `postgres: "postgres://u:${POSTGRES}@127.0.0.1:1/d"`;
    const file = configFile(
      t,
      `node: n
log: { level: trace, format: json }
network: { port: 0, secret: ${NETWORK_SECRET} }
cluster: { ${isPlain ? '' : 'backplane: nats, servers: ["127.0.0.1:1"], user: u, '}password: ${CLUSTER_PASSWORD} }
authenticator: ${authenticator}
forward: { url: "${backEnd.url}?token=${FORWARDED}" }
doors:
  pusu: { host: 127.0.0.1, port: 0, cookie: sid }
  pinghub: { port: 0, metrics_port: null, cookie: sid }
  wspubsub: { port: 0, realm: main, cookie: sid, apikeys: { ${keys} } }
${more}`,
    );
    writeFileSync(
      join(file, '..', 'mine.mjs'),
      `export function getPermissions(authorization, request) {
        if (authorization !== '${PLUGIN}') throw new Error(authorization + JSON.stringify(request));
        return { '*': 'rw' };
      }`,
    );
    const set = isPlain ? ['--set', `passwords={${SET_PASSWORD}: ["*"], ${PASSWORD}: ["*"]}`] : [];
    const relay = runRelay(t, ['--config', file, ...set, '--set', `cluster.password=${CLUSTER_PASSWORD}`], {
      FANFARE_VAR_DIR: folder,
      FANFARE_JWT_VERIFICATION_KEY: JWT_SECRET,
      ...(isPlain ? { FANFARE_CLUSTER_TOKEN: CLUSTER_TOKEN } : {}),
      DEPLOY_TOKEN: ENVIRONMENT,
    });
    await relay.log.find(({ msg }) => msg === 'ready');
    const [pusu, pinghub, wspubsub, admin] = await Promise.all(
      (['pusu', 'pinghub', 'wspubsub', 'admin'] as const).map((door) => relay.port(door)),
    );
    if (pusu === undefined || pinghub === undefined || wspubsub === undefined || admin === undefined)
      throw new Error('no port');
    const own = join(folder, 'n');
    const seen: Seen = new Map();
    const traced = await whileTraced(own, async () => {
      await offer(t, { pusu, pinghub, wspubsub }, credential, API_KEY);
      await offer(t, { pusu, pinghub, wspubsub }, `${credential}-wrong`, `${API_KEY}-wrong`);
      await crashListener(own, pinghub, credential);
    });
    seen.set('trace', traced);
    const live = await connectWs(t, pusu, `/?access_token=${credential}`, {
      headers: { Cookie: `a=${COOKIE}; sid=${credential}` },
      protocols: ['pusu', 'bearer', credential],
    });
    live.send(JSON.stringify({ type: 'authorize', authorization: credential }));
    await live.take(2);
    live.send(JSON.stringify({ type: 'subscribe', channel: `ws/pub/${API_KEY}/d/t` }));
    await live.next();
    // An operator who is careless.
    await connectWs(t, pusu);
    const [conn] = JSON.parse(
      (await evaluate(own, "connections({by: 'age', n: 1000}).rows.map(({ref}) => ref)", 'json')).text,
    ) as string[];
    t.regex((await evaluate(own, `disconnect('${conn}', 'had Bearer ${PASSWORD}')`)).text, /told to go/);
    await relay.log.find(({ msg, reason }) => msg === 'closed' && String(reason).includes('had'));
    relay.signal('SIGUSR2');
    await relay.log.find(({ msg }) => msg === 'diagnostic report');
    const closed = relay.log.all.filter(({ msg }) => msg === 'closed').map((line) => Number(line['conn']));
    t.true(closed.length > 5);
    const guard = Number((await evaluate(own, "relay.system.names.get('listener.pinghub').id")).text);
    for (const [what, text] of await atThePrompt(own, closed)) seen.set(what, text);
    for (const [what, text] of await atTheAdminPort(admin, guard)) seen.set(what, text);
    relay.signal('SIGTERM');
    const { code, out, err } = await relay.exited;
    t.is(code, 0);
    for (const [what, text] of [...filesBelow(folder), ['stdout', out], ['stderr', err]] as const)
      seen.set(what, text);
    // What says that it was looked at where something is.
    const has = (what: RegExp, text: RegExp) =>
      t.true(
        [...seen].some(([where, all]) => what.test(where) && text.test(all)),
        `${what} ${text}`,
      );
    has(/stdout/, /"msg":"refused"/);
    has(/stdout/, /"offered":"mqtt, \[hidden\]"/);
    has(/stdout/, /"msg":"crash report"/);
    has(/reports\/report-/, /"fanfare"[\s\S]*query.*\[hidden\]/);
    has(/audit\.log/, /"what":"reports\(1000\)"/);
    has(/^trace$/, /authorise|connection|upgrade/);
    has(/^reports \(lines\)/, /\[hidden\]/);
    has(/^feed of reports/, /\[hidden\]/);
    has(/^\/metrics/, /fanfare_refusals_total\{/);
    has(/^why /, /had Bearer \[hidden\]/);
    has(/^\/metrics/, /had Bearer \[hidden\]/);
    has(/^process\.env \(colours\)/, /DEPLOY_TOKEN/);
    has(/^said/, /Uncaught/);
    const secrets = [
      credential,
      COOKIE,
      HEADER,
      API_KEY,
      PASSWORD,
      SET_PASSWORD,
      JWT_SECRET,
      FORWARDED,
      PLUGIN,
    ];
    secrets.push(CLUSTER_PASSWORD, CLUSTER_TOKEN, NETWORK_SECRET, POSTGRES, ENVIRONMENT);
    for (const secret of secrets)
      for (const spelling of spellings(secret))
        for (const [where, text] of seen) {
          const found = text.indexOf(spelling);
          if (found >= 0)
            t.fail(`${where}: ${text.slice(Math.max(0, found - 100), found + spelling.length + 20)}`);
        }
    t.is(out.includes('the-subject'), authenticator === 'JWT');
  });

/** An error whose words are a client's, in the process that had it. */
async function crashListener(folder: string, port: number, credential: string): Promise<void> {
  const door = "relay.system.names.get('listener.pinghub').state.context.door";
  await evaluate(
    folder,
    `globalThis.route = ${door}.route; ${door}.route = (asked) => {
      ${door}.route = globalThis.route;
      throw new (require('node:vm').runInThisContext('Error'))('query ' + asked.query + ' of ' + asked.header('authorization'));
    }`,
  );
  await post(port, `/a?access_token=${credential}`, 'x').catch(() => undefined);
}

async function evaluate(
  folder: string,
  text: string,
  style: Style = 'shell',
): Promise<{ readonly text: string }> {
  const client = await NodeClient.connect(folder);
  if (client === undefined) throw new Error(`nobody answers at ${folder}`);
  const answer = await client.evaluate(text, style);
  client.close();
  return answer;
}
