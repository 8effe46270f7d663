import { offer as peerOffer, VERSIONS } from './peer/session.ts';
import { decodeOnce } from './request-path.ts';

/**
 * Subprotocols of WebSockets (RFC 6455, section 1.9), as a client offers them in one header. Browsers can set no other
 * header on a WebSocket, so a credential may stand among them: `bearer`, and the token behind it. Characters that a
 * subprotocol cannot have are percent-encoded there.
 */
const BEARER = 'bearer';

/** What the doors speak, by their names. */
export const SPOKEN = {
  // pypusu asks for the second one, and expects it.
  pusu: ['pusu', 'http-only'],
  wspubsub: ['wspubsub'],
  pinghub: ['pinghub', 'pinghub.events'],
  fanfare: ['fanfare.1'],
} as const;

/** Spoken with every client that offers it, wherever in its list: it offers the others for relays that do not speak it. */
const PREFERRED: readonly string[] = SPOKEN.fanfare;

/**
 * The subprotocol to speak, of those that `header` offers: fanfare.1, or else the first one that is `spoken`; `bearer` where
 * there are none but a credential. Null: the client speaks something else. The token is never the answer.
 */
export function chosenProtocol(header: string, spoken: readonly string[]): string | null {
  const { names, token } = offer(header);
  if (names.length === 0 && token !== null) return BEARER;
  const known = names.filter((name) => spoken.includes(name));
  return known.find((name) => PREFERRED.includes(name)) ?? known[0] ?? null;
}

/** The credential that was offered; null: none that can be read. */
export function bearerToken(header: string | undefined): string | null {
  const { token } = offer(header ?? '');
  return token === null ? null : decodeOnce(token);
}

/** How many of the names that were offered are shown. */
const MOST_SHOWN = 8;

/** What was offered, for the log. A credential may be anywhere in it: of names, those are shown that everybody knows. */
export function shownProtocols(header: string): string {
  let isToken = false;
  const shown = namesOf(header).map((name) => {
    const show = !isToken && KNOWN.has(name.toLowerCase());
    isToken = !isToken && name === BEARER;
    return show ? name : '[hidden]';
  });
  return shown.slice(0, MOST_SHOWN).join(', ');
}

function offer(header: string): { readonly names: readonly string[]; readonly token: string | null } {
  const names = namesOf(header);
  const at = names.indexOf(BEARER);
  const token = at === -1 ? undefined : names[at + 1];
  if (token === undefined) return { names, token: null };
  return { names: names.toSpliced(at, 2), token };
}

function namesOf(header: string): string[] {
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Of IANA's registry and of common libraries. */
const WELL_KNOWN = [
  BEARER,
  'actioncable-v1-json',
  'amqp',
  'base64',
  'binary',
  'centrifuge-json',
  'centrifuge-protobuf',
  'chat',
  'graphql-transport-ws',
  'graphql-ws',
  'json',
  'mqtt',
  'mqttv3.1',
  'ocpp1.6',
  'sip',
  'soap',
  'stomp',
  'v10.stomp',
  'v11.stomp',
  'v12.stomp',
  'wamp',
  'wamp.2.json',
  'xmpp',
];

/** A client at the wrong door of a relay offers what another one speaks. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(SPOKEN).flat(),
  ...peerOffer(VERSIONS),
  ...WELL_KNOWN,
]);
