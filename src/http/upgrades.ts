import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { hasBody, hasToken, tokensOf } from './request.ts';

/**
 * Upgrades that are not ours. A server may ignore what a client offers to upgrade to (RFC 9110, section 7.8): curl and
 * Java's client offer HTTP/2 with each request, proxies TLS. But once anybody listens for upgrades, Node hands over the
 * socket of each request that has `Upgrade`, its body unread.
 */

/** From this version on Node reads the body of an upgrade, and hands over something else than the socket. */
const READS_BODIES = Number.parseInt(process.versions.node, 10) >= 25;

/** Newer than the published types. */
interface Upgrading extends Server {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

/**
 * How a server that has just been made goes on with plain HTTP at a request to upgrade: as if the request had not asked
 * for it, with all that has come behind its head.
 */
export function ignoreUpgrades(
  server: Server,
): (request: IncomingMessage, socket: Socket, head: Buffer) => void {
  const [serve] = server.listeners(server instanceof TlsServer ? 'secureConnection' : 'connection');
  if (READS_BODIES) (server as Upgrading).shouldUpgradeCallback = (request) => !hasBody(request);
  return (request, socket, head) => {
    // That of an idle connection, which the parser of then would have ended.
    socket.setTimeout(0);
    socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
    serve?.call(server, socket);
    // It has been paused where requests waited before this one.
    socket.resume();
  };
}

/** Whether Node has read the body of a request that asked to be upgraded, and lost what came in the same read behind it. */
export function losesWhatFollows(request: Pick<IncomingMessage, 'headers'>): boolean {
  const { upgrade, connection } = request.headers;
  return READS_BODIES && upgrade !== undefined && hasToken(connection, 'upgrade') && hasBody(request);
}

const OFFER = new Set(['upgrade', 'http2-settings']);

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    if (OFFER.has(name.toLowerCase())) continue;
    if (name.toLowerCase() !== 'connection') {
      head += `${name}: ${value}\r\n`;
      continue;
    }
    const tokens = tokensOf(value).filter((token) => !OFFER.has(token.toLowerCase()));
    if (tokens.length > 0) head += `${name}: ${tokens.join(', ')}\r\n`;
  }
  return Buffer.from(`${head}\r\n`, 'latin1');
}
