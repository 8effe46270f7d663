import type { CrossOriginOffer, HttpReply } from '../door/contract.ts';
import { valuesOf } from './door-request.ts';
import { isShared, originOf, originRule } from './origin.ts';

/** What answers tell browsers, so that they let pages of other origins ask and read (Fetch standard, section 3.3). */
export interface CrossOrigin {
  /** For every answer to a request, refusals included. */
  headersFor(rawHeaders: readonly string[]): Readonly<Record<string, string>>;
  /** The answer to OPTIONS, for those whose origin is allowed; it needs `headersFor` too. */
  preflight(rawHeaders: readonly string[]): HttpReply;
}

export interface CrossOriginOptions {
  /** See `originRule`. */
  readonly allowed: readonly string[] | null;
  readonly offer: CrossOriginOffer;
  /** Cookies count: pages of listed origins may read what was asked with them. */
  readonly credentials: boolean;
}

/** Seconds; no browser keeps it for longer than two hours or a day. The request itself is judged each time. */
const MAX_AGE = '7200';

const readable = { 'Access-Control-Expose-Headers': 'Retry-After' };
/** Sent whether or not there is an `Origin`, so that answers need not vary (section 3.3.5). */
const anybody = { 'Access-Control-Allow-Origin': '*', ...readable };
const nobody = { Vary: 'Origin' };

export function crossOrigin({ allowed, offer, credentials }: CrossOriginOptions): CrossOrigin {
  const isAllowed = originRule(allowed);
  return {
    headersFor(rawHeaders) {
      if (allowed === null) return anybody;
      const origin = originOf(rawHeaders);
      if (origin == null || !isAllowed(rawHeaders)) return nobody;
      const headers = { ...nobody, 'Access-Control-Allow-Origin': origin, ...readable };
      return credentials && !isShared(origin)
        ? { ...headers, 'Access-Control-Allow-Credentials': 'true' }
        : headers;
    },
    preflight: (rawHeaders) => ({
      type: 'reply',
      status: 204,
      headers: {
        'Access-Control-Allow-Methods': offer.methods,
        'Access-Control-Allow-Headers': offer.headers,
        'Access-Control-Max-Age': MAX_AGE,
        // Private Network Access: browsers ask so before a page of the internet reaches into a local network.
        ...(valuesOf(rawHeaders, 'access-control-request-private-network') === 'true'
          ? { 'Access-Control-Allow-Private-Network': 'true' }
          : {}),
      },
      body: '',
    }),
  };
}
