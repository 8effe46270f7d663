import type { Socket } from 'node:net';
import { valuesOf } from '../http/request.ts';
import { tcpSocketOf } from '../http/socket-bytes.ts';
import { type AddressList, forwardedFor, plainAddress } from './addresses.ts';

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
