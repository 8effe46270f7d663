import type { ExecutionContext } from 'ava';
import { ask, connectRaw, post } from './raw-client.ts';
import { connectWs, refusedWs } from './ws-client.ts';

/** What clients send besides. */
export const COOKIE = 'session-cookie-frotz';
export const HEADER = 'header-key-zzyzx';

/** Every spelling in which a secret could come out. */
export function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  return [
    secret,
    encodeURIComponent(secret),
    hex,
    // As inspect prints bytes.
    hex.replace(/..(?=.)/g, '$& '),
    // In base64 the letters depend on where the secret begins; one of three fits.
    ...[0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .slice(4, -4),
    ),
  ];
}

interface Ports {
  readonly pusu: number;
  readonly pinghub: number;
  readonly wspubsub: number;
}

/** Offers a credential everywhere where one can be offered, and in places where it has no business. */
export async function offer(t: ExecutionContext, at: Ports, given: string, key: string): Promise<void> {
  const { pusu, pinghub, wspubsub } = at;
  const more = { Cookie: COOKIE, 'X-Api-Key': HEADER, 'Proxy-Authorization': `Bearer ${given}` };
  const headers = { Authorization: `Bearer ${given}`, ...more };
  const basic = { Authorization: `Basic ${Buffer.from(`u:${given}`).toString('base64')}` };
  const settled = (one: Promise<unknown>) =>
    one.then(
      () => undefined,
      () => undefined,
    );
  await ask(pinghub, '/a', { method: 'POST', headers, body: 'x' });
  await ask(pinghub, '/bad', { method: 'POST', headers: basic, body: 'x' });
  await post(pinghub, `/bad?access_token=${given}`, 'x');
  for (const method of ['GET', 'DELETE']) await ask(pinghub, `/a?access_token=${given}`, { method });
  for (const port of [pusu, pinghub, wspubsub]) {
    await ask(port, `/ws/pub/${key}/d/t?access_token=${given}`, { headers });
    await settled(
      refusedWs(t, port, `/x?access_token=${given}`, { headers: { ...more, 'Sec-WebSocket-Key': '' } }),
    );
    const raw = await connectRaw(t, port);
    raw.send(`GET /a?access_token=${given} HTTP/1.1\r\nAuthorization: Bearer ${given}\r\nbroken\r\n\r\n`);
    await raw.end();
  }
  await connectWs(t, pinghub, `/a?access_token=${given}`).then(
    (client) => client.leave(),
    () => undefined,
  );
  await settled(
    connectWs(t, pinghub, `/ws/pub/${key}/d/t`, { headers: basic }).then((client) => client.leave()),
  );
  for (const frame of [
    { type: 'authorize', authorization: given },
    { type: 'authorize', authorization: [given] },
    { type: given, channel: given },
  ]) {
    const client = await connectWs(t, pusu, `/?access_token=${given}`, { headers: more });
    await client.next();
    client.send(JSON.stringify(frame));
    await client.next();
    client.send(JSON.stringify({ type: 'subscribe', channel: 'bad*' }));
    client.send(`{"type":"authorize","authorization":"${given}`);
    await client.got.find((one) => typeof one === 'object' && 'code' in one);
  }
  // As browsers can.
  for (const [port, path] of [
    [pusu, '/'],
    [pinghub, '/a'],
    [wspubsub, '/ws/sub/d/t'],
  ] as const) {
    for (const protocols of [['bearer', given], ['mqtt', given], [given], ['bearer', 'bad', given]])
      await settled(connectWs(t, port, path, { protocols }).then((client) => client.leave()));
    const cookie = { Cookie: `a=${COOKIE}; sid=${given}` };
    for (const headers of [cookie, { ...cookie, Origin: 'https://elsewhere.example' }])
      await settled(connectWs(t, port, path, { headers }).then((client) => client.leave()));
  }
  const stream = await connectRaw(t, pinghub);
  stream.send(`GET /a HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nCookie: sid=${given}\r\n\r\n`);
  await stream.until('\r\n\r\n');
  stream.socket.destroy();
  await settled(connectWs(t, wspubsub, `/ws/pub/${key}/d/t`).then((client) => client.leave()));
  for (const path of [`${key}/other/t`, `${key}/d/t/more`, `${key}-wrong/d/t`])
    await refusedWs(t, wspubsub, `/ws/pub/${path}`);
  await settled(refusedWs(t, wspubsub, `/ws/sub/d/t?access_token=${given}`, { headers }));
}
