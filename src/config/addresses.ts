import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type Kind, Refusal, textKind, wordsOf, writtenAs } from './kind.ts';
import { wholeNumber } from './scalars.ts';

export const port = wholeNumber('a port from 0 to 65535 (0: any free one)', 0, 65535);

/** To listen on. */
export const host: Kind<string> = writtenAs(
  // `::` is a map in YAML.
  'words',
  textKind('a host name or an IP address', (text) =>
    isIP(text) !== 0 || isHostName(text) ? text : undefined,
  ),
);

/** An entry of `relays`: to connect to. */
export const relay: Kind<string> = textKind(
  'a relay as host, host:port or [ipv6]:port, such as relay-1.example.com:55001',
  (text) => {
    const [, bracketed, named, portText] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(.*))?$/s.exec(text) ?? [];
    const hostOk = bracketed === undefined ? named !== undefined && isNamedHost(named) : isIPv6(bracketed);
    if (!hostOk) {
      return isIPv6(text) ? new Refusal(`brackets around an IPv6 address: [${text}]`) : undefined;
    }
    if (portText === undefined) return text;
    return /^[1-9]\d{0,4}$/.test(portText) && Number(portText) <= 65535
      ? text
      : new Refusal('a port from 1 to 65535 after the colon');
  },
);

/** A server of NATS, kept as an entry of `relays`; the scheme that everybody writes may be there. */
export const natsServer: Kind<string> = {
  expected: 'a server as host, host:port or [ipv6]:port, such as nats-1.example.com:4222',
  parse(value, path, { report, ...context }) {
    const bare =
      value.kind === 'scalar' && value.text.startsWith(NATS)
        ? { ...value, text: value.text.slice(NATS.length) }
        : value;
    return relay.parse(bare, path, {
      ...context,
      report: (at, key, why) => report(at, key, why === relay.expected ? natsServer.expected : why),
    });
  },
};
const NATS = 'nats://';

/**
 * What a browser sends as `Origin` (RFC 6454, section 6.2), in the lower case that browsers use, or a pattern: `*.` and
 * the name of a domain in place of the host. Pages of apps may have none of their own: they send `null` or `file://`.
 */
const origin: Kind<string> = textKind(
  'an origin such as https://chat.example.com (scheme://host or scheme://host:port, no path; *.host for all below it; ' +
    '"null" or "file://" in quotes)',
  (text) => {
    if (text === 'null' || text === 'file://') return text;
    const [, bracketed, star, named, portText] =
      /^[a-z][a-z0-9+.-]*:\/\/(?:\[([^\]]*)\]|(\*\.)?([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
    const isHost = star === undefined ? isNamedHost : isHostName;
    const hostOk = bracketed === undefined ? named !== undefined && isHost(named) : isIPv6(bracketed);
    const portOk = portText === undefined || (Number(portText) > 0 && Number(portText) <= 65535);
    return hostOk && portOk ? text.toLowerCase() : undefined;
  },
);

export const origins = wordsOf(origin.expected, origin);

// sun_path holds 108 bytes with its final NUL (unix(7)).
const longestSocketPath = 107;

export const socketPath: Kind<string> = writtenAs(
  'text',
  textKind(`an absolute path of at most ${longestSocketPath} bytes`, (text) =>
    text.startsWith('/') && Buffer.byteLength(text) <= longestSocketPath && !text.includes('\0')
      ? text
      : undefined,
  ),
);

/** An address or a CIDR block that `net.BlockList` takes; no zone, which it refuses. */
export const addressBlock: Kind<string> = textKind('an IP address or a block such as 10.0.0.0/8', (text) => {
  const [, address, bits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const family = isIP(address ?? '');
  if (family === 0) return undefined;
  const most = family === 4 ? 32 : 128;
  return bits === undefined || Number(bits) <= most
    ? text
    : new Refusal(`a prefix length of at most ${most}`);
});

/** A proxy that is believed: an address, a block, or whoever connects by a UNIX socket. */
export const proxy: Kind<string> = {
  expected: addressBlock.expected,
  parse: (value, path, context) =>
    value.kind === 'scalar' && value.text === 'unix:' ? value.text : addressBlock.parse(value, path, context),
};

function isNamedHost(text: string): boolean {
  return isIPv4(text) || isHostName(text);
}

/** RFC 1123, section 2.1, and the underscores that people use; a last label of digits would be a mistyped address. */
function isHostName(text: string): boolean {
  return (
    text.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text) &&
    !/(^|\.)\d+\.?$/.test(text)
  );
}
