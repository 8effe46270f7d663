import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { startBackEnd } from '../support/back-end.ts';
import { ask, post } from '../support/raw-client.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { SECRET_TEXT, token } from '../support/tokens.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const PASSWORD = 'correct-horse-battery';
const API_KEY = '0a1b2c3d-aaaa-bbbb-cccc-123456789abc';
const PLUGIN = 'plugin-credential-xyzzy';
const FORWARDED = 'forwarded-credential-plugh';
const COOKIE = 'session-cookie-frotz';

/** Every spelling in which a secret could come out. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('hex'),
    // In base64 the letters depend on where the secret begins; one of three fits.
    ...[0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .slice(4, -4),
    ),
  ];
}

test('no credential of any kind is in anything that the relay writes, good or bad, in trouble or not', async (t) => {
  const backEnd = await startBackEnd(t, (request, response) => {
    const uri = String(request.headers['x-original-uri']);
    response.writeHead(uri.startsWith('/bad') ? 500 : 204).end();
  });
  const jwt = await token({ channels: { '*': 'rw' }, sub: 'the-subject' });
  const doorsOf = (more: string) => `
doors:
  pusu: { host: 127.0.0.1, port: 0 }
  pinghub: { port: 0, metrics_port: null }
  wspubsub: { port: 0, realm: main, apikeys: { list: [{ domain: d, key: ${API_KEY} }] } }
${more}`;
  const settings = {
    PasswordAuthenticator: [`passwords: { ${PASSWORD}: ["*"] }`, PASSWORD],
    JWT: [`jwt_verification_key: ${SECRET_TEXT}`, jwt],
    Forward: [`forward: { url: "${backEnd.url}" }`, FORWARDED],
    './mine.mjs': ['', PLUGIN],
  } as const;
  for (const [authenticator, [more, credential]] of Object.entries(settings)) {
    const text = `log: { level: trace, format: json }
network: { port: 0 }
admin: { port: 0 }
authenticator: ${authenticator}
${more}${doorsOf('')}`;
    const config = configFile(t, text);
    writeFileSync(
      join(config, '..', 'mine.mjs'),
      `export function getPermissions(authorization, request) {
        if (authorization !== '${PLUGIN}') throw new Error(authorization + JSON.stringify(request));
        return { '*': 'rw' };
      }`,
    );
    const relay = runRelay(t, ['--config', config]);
    const [pusu, pinghub, wspubsub] = await Promise.all(
      ['pusu', 'pinghub', 'wspubsub'].map((door) => relay.port(door)),
    );
    if (pusu === undefined || pinghub === undefined || wspubsub === undefined) throw new Error('no port');
    const wrong = `${credential}-wrong`;
    for (const given of [credential, wrong]) {
      const headers = { Authorization: `Bearer ${given}`, Cookie: COOKIE };
      const basic = { Authorization: `Basic ${Buffer.from(`u:${given}`).toString('base64')}` };
      await ask(pinghub, '/a', { method: 'POST', headers, body: 'x' });
      await ask(pinghub, '/bad', { method: 'POST', headers: basic, body: 'x' });
      await post(pinghub, `/bad?access_token=${given}`, 'x');
      await ask(pinghub, `/a?access_token=${given}`, { method: 'DELETE' });
      await connectWs(t, pinghub, `/a?access_token=${given}`).then(
        (client) => client.leave(),
        () => undefined,
      );
      const client = await connectWs(t, pusu, `/?access_token=${given}`, { headers: { Cookie: COOKIE } });
      client.send(JSON.stringify({ type: 'authorize', authorization: given }));
      await client.take(2);
      client.send(JSON.stringify({ type: 'subscribe', channel: 'bad*' }));
      await client.next();
      client.webSocket.terminate();
    }
    const owner = await connectWs(t, wspubsub, `/ws/pub/${API_KEY}/d/t`);
    await refusedWs(t, wspubsub, `/ws/pub/${API_KEY}/d/t`);
    await refusedWs(t, wspubsub, `/ws/pub/${API_KEY}/other/t`);
    await refusedWs(t, wspubsub, `/ws/pub/${API_KEY}-wrong/d/t`);
    await refusedWs(t, wspubsub, `/ws/pub/${API_KEY}/d/t/more`);
    await owner.leave();
    relay.signal('SIGTERM');
    const { code, out, err } = await relay.exited;
    t.is(code, 0);
    const written = out + err;
    for (const secret of [credential, API_KEY, COOKIE, SECRET_TEXT])
      for (const spelling of spellings(secret))
        t.false(written.includes(spelling), `${authenticator}: ${spelling}`);
    t.regex(out, /"msg":"refused"/, 'what was refused has been written');
    t.is(out.includes('the-subject'), authenticator === 'JWT');
  }
});
