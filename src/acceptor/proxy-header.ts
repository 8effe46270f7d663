import { isIPv4, isIPv6, type Socket } from 'node:net';
import { readAddress } from './addresses.ts';

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
