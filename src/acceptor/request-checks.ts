import type { IncomingMessage } from 'node:http';
import type { Door, DoorRequest, HttpReply, Route } from '../door/contract.ts';
import { messageTooLarge, textReply } from '../door/replies.ts';
import { shownProtocols } from '../door/subprotocol.ts';
import { saysTooLong } from '../http/request.ts';
import { asDoorRequest, cookieValue } from './client-request.ts';
import { refuseHandshake, refuseProtocols, refuseRequest } from './handshake.ts';
import type { TlsPair } from './http-servers.ts';
import { CrossOrigin, cookieMayCount, type OriginRule, originRule } from './origin.ts';

/** What a door asks of its clients before its protocol. Another edge counts for the connections to come. */
export interface Edge {
  /** See `originRule`. */
  readonly origin: readonly string[] | null;
  /** The name of the cookie that holds credentials; null: none does. */
  readonly cookie: string | null;
  /** Reads the certificate and the key, or says what it expected of them. Null: no TLS. */
  readonly tls: (() => TlsPair | { readonly expected: string }) | null;
  /** Addresses, CIDR blocks and `unix:`. */
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
  /** All clients have rights, without any credential. */
  readonly open: boolean;
}

/** A stream has no end, so that nothing behind it would ever be answered. */
const NOT_THE_LAST = textReply(
  400,
  'Error: bad request. A stream must be the last request of its connection.',
  { Connection: 'close' },
);

/** What becomes of a request to upgrade. */
type UpgradeRoute = HttpReply | Extract<Route, { readonly transport: 'websocket' }>;

/** What a request is judged by, read at the time of need. */
interface Context {
  readonly door: Door;
  readonly limits: { readonly message: number };
}

/** What becomes of a request by its head: its own form, then the edge of the door, then the door judge it. */
export class RequestChecks {
  /** Whether the door lets pages of the origin that the headers name in; see `originRule`. */
  readonly isOriginAllowed: OriginRule;
  readonly #context: Context;
  readonly #edge: Edge;
  /** Null where pages of other origins have nothing to ask for over HTTP. */
  readonly #crossOrigin: CrossOrigin | null;

  constructor(context: Context, edge: Edge) {
    const { origin: allowed, cookie } = edge;
    const offer = context.door.crossOrigin;
    this.isOriginAllowed = originRule(allowed);
    this.#context = context;
    this.#edge = edge;
    this.#crossOrigin =
      offer === undefined ? null : new CrossOrigin({ allowed, offer, credentials: cookie !== null });
  }

  /** For every answer to a request, refusals included: a page of another origin may read those too. */
  headersFor(rawHeaders: readonly string[]): Readonly<Record<string, string>> {
    return this.#crossOrigin?.headersFor(rawHeaders) ?? {};
  }

  /** Whether the request's cookies may be credentials; where none are, they are as good as not there. */
  mayBringCookies(rawHeaders: readonly string[]): boolean {
    const { cookie, origin, tls } = this.#edge;
    return cookie === null || cookieMayCount(rawHeaders, { listed: origin !== null, tls: tls !== null });
  }

  /** A request to upgrade. `offered`: subprotocols, where the door speaks none of them. */
  upgrade(request: IncomingMessage): { readonly route: UpgradeRoute; readonly offered?: string } {
    const { door } = this.#context;
    const refusal = refuseHandshake(request);
    if (refusal !== null) return { route: refusal };
    const offered = request.headers['sec-websocket-protocol'];
    const otherProtocol = refuseProtocols(offered, door);
    if (otherProtocol !== null) return { route: otherProtocol, offered: shownProtocols(offered ?? '') };
    const route = door.route(this.#asDoorRequest(request, true));
    return route.type === 'reply' || route.transport === 'websocket'
      ? { route }
      : { route: textReply(400, 'Error: bad request. Not to be upgraded.') };
  }

  /**
   * Any other request. `mayBeEndless`: told that the answer will have no end, and says whether it may. `origin`: a page
   * asks whether it may ask, and may not.
   */
  request(request: IncomingMessage, mayBeEndless: () => boolean): Route | 'origin' {
    const { door, limits } = this.#context;
    const { method, rawHeaders } = request;
    const refusal = refuseRequest(request);
    if (refusal !== null) return refusal;
    if (method === 'OPTIONS' && this.#crossOrigin !== null)
      return this.isOriginAllowed(rawHeaders) ? this.#crossOrigin.preflight(rawHeaders) : 'origin';
    const route = door.route(this.#asDoorRequest(request, false));
    if (route.type !== 'open') return route;
    if (route.transport === 'stream') return mayBeEndless() ? route : NOT_THE_LAST;
    return saysTooLong(request, limits.message) ? messageTooLarge : route;
  }

  /** The cookie that holds credentials is read when the door asks for it. */
  #asDoorRequest(request: IncomingMessage, isUpgrade: boolean): DoorRequest {
    const { cookie } = this.#edge;
    const { rawHeaders } = request;
    return asDoorRequest(request, isUpgrade, () =>
      cookie !== null && this.mayBringCookies(rawHeaders) ? cookieValue(cookie, rawHeaders) : undefined,
    );
  }
}
