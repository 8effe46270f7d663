import { isIPv4, isIPv6, type Socket } from 'node:net';
import { valuesOf } from '../http/request.ts';
import { tcpSocketOf } from '../http/socket-bytes.ts';
import { type AddressList, plainAddress, readAddress } from './addresses.ts';

/**
 * The addresses of clients. A proxy that is trusted says on whose behalf it connects, in a PROXY header or in
 * `X-Forwarded-For`; of anybody else only the socket's address counts.
 */
export class ClientAddresses {
  #trusted: AddressList;
  /** Addresses from PROXY headers. Null where there were none yet: then no look-up is paid for. */
  #named: WeakMap<Socket, string> | null;

  constructor(trusted: AddressList, proxyProtocol: boolean) {
    this.#trusted = trusted;
    this.#named = proxyProtocol ? new WeakMap() : null;
  }

  /** Other proxies from now on. A client that has been named keeps the name. */
  configure(trusted: AddressList, proxyProtocol: boolean): void {
    this.#trusted = trusted;
    if (proxyProtocol) this.#named ??= new WeakMap();
  }

  isProxy(address: string): boolean {
    return this.#trusted.has(address);
  }

  /** A PROXY header has named the client of this connection. */
  name(socket: Socket, address: string): void {
    this.#named?.set(socket, address);
  }

  /** The client that has opened the connection. */
  ofConnection(socket: Socket): string {
    return this.#named?.get(tcpSocketOf(socket)) ?? plainAddress(socket.remoteAddress);
  }

  /** The client that has sent a request on it. */
  ofRequest(socket: Socket, rawHeaders: readonly string[]): string {
    const address = this.ofConnection(socket);
    if (this.#trusted.empty) return address;
    return forwardedFor(address, valuesOf(rawHeaders, 'x-forwarded-for'), this.#trusted);
  }
}

/**
 * The client's address behind proxies. Each proxy adds, at the end of `X-Forwarded-For`, the address that it was called
 * from; so the list is read backwards, as far as proxies that are trusted vouch for it. What stands before that may be
 * anybody's invention, and so may all of it when `peer` itself is not trusted.
 */
export function forwardedFor(peer: string, header: string | undefined, trusted: AddressList): string {
  if (header === undefined || !trusted.has(peer)) return peer;
  const hops = header.split(',');
  let address = peer;
  while (hops.length > 0 && trusted.has(address)) {
    const hop = addressOf((hops.pop() as string).trim());
    // A hop that hides its address (`unknown`) ends what is known.
    if (hop === null) break;
    address = hop;
  }
  return address;
}

/** Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
function addressOf(hop: string): string | null {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(hop) ?? [];
  return readAddress(bracketed ?? plain ?? hop);
}

/**
 * The PROXY header, versions 1 and 2 (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt), with which a proxy
 * says on whose behalf it connects.
 */
export type ProxyHeader =
  /** `address` null: the proxy itself, or a client that it cannot name. `length`: bytes of the header. */
  | { readonly type: 'header'; readonly address: string | null; readonly length: number }
  | { readonly type: 'incomplete' }
  | { readonly type: 'invalid' };

/** The longest line of version 1, with its CRLF (section 2.1). */
const V1_LONGEST = 107;
const V1_START = Buffer.from('PROXY ');
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const V2_FIXED = 16;
/** What version 2 may add (certificates, names) is skipped, but not without end. */
const V2_LONGEST = 4096;

const incomplete: ProxyHeader = { type: 'incomplete' };
const invalid: ProxyHeader = { type: 'invalid' };

/** Reads the header that must stand at the start of `bytes`; more may follow it. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (isStart(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED ? incomplete : version2(bytes);
  if (isStart(bytes, V1_START)) return version1(bytes);
  return invalid;
}

/** Whether `bytes`, as far as they go, begin as `start` does. */
function isStart(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function version1(bytes: Buffer): ProxyHeader {
  const end = bytes.indexOf('\r\n');
  if (end === -1) return bytes.length < V1_LONGEST ? incomplete : invalid;
  const length = end + 2;
  if (length > V1_LONGEST) return invalid;
  const line = bytes.toString('latin1', 0, end);
  // What follows UNKNOWN must be ignored.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return header(null, length);
  const [, family, source, target, from, to] =
    /^PROXY (TCP[46]) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line) ?? [];
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  if (source === undefined || target === undefined || !isAddress(source) || !isAddress(target))
    return invalid;
  if (Number(from) > 65535 || Number(to) > 65535) return invalid;
  return header(source, length);
}

function version2(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = V2_FIXED + bytes.readUInt16BE(14);
  if (length > V2_LONGEST) return invalid;
  // LOCAL: the proxy's own connection, such as a health check.
  if (command !== 0x20 && command !== 0x21) return invalid;
  if (bytes.length < length) return incomplete;
  if (command === 0x20) return header(null, length);
  switch (family) {
    case 0x11:
      return length < V2_FIXED + 12 ? invalid : header(bytes.subarray(16, 20).join('.'), length);
    case 0x21:
      return length < V2_FIXED + 36 ? invalid : header(ipv6(bytes.subarray(16, 32)), length);
    // Unspecified, and a UNIX socket: there is no address.
    case 0x00:
    case 0x31:
      return header(null, length);
    default:
      return invalid;
  }
}

function header(address: string | null, length: number): ProxyHeader {
  return { type: 'header', address: address === null ? null : readAddress(address), length };
}

function ipv6(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':');
}

/**
 * Takes the PROXY header off the start of a connection, and tells the client's address (null: the header names none).
 * What follows the header is left to be read. A connection that does not begin with one, or not within `timeout`
 * milliseconds (0: as long as it needs), is destroyed, and `refused` told.
 */
export function readProxyHeader(
  socket: Socket,
  timeout: number,
  done: (address: string | null) => void,
  refused: () => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);

  const leave = () => {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('end', refuse);
    socket.off('close', leave);
  };
  const refuse = () => {
    leave();
    refused();
    socket.destroy();
  };
  const onReadable = () => {
    for (let chunk = read(socket); chunk !== null; chunk = read(socket))
      bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header.type === 'incomplete') return;
    if (header.type === 'invalid') {
      refuse();
      return;
    }
    leave();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    done(header.address);
  };
  const timer = timeout > 0 ? setTimeout(refuse, timeout) : undefined;
  socket.on('readable', onReadable);
  socket.on('end', refuse);
  socket.on('close', leave);
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
