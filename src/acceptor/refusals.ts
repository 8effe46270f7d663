import type { HttpReply } from '../door/contract.ts';
import { forbidden, textReply, tooManyAttempts, tooManyRequests } from '../door/replies.ts';

const NONE = {
  /** `limits.connections` is reached. */
  full: 0,
  /** The limit on open files is reached. */
  files: 0,
  'address-full': 0,
  'address-rate': 0,
  'failed-authorisations': 0,
  'publish-rate': 0,
  origin: 0,
  /** A proxy has sent no PROXY header, or not in time. */
  'proxy-header': 0,
  /** More requests on one connection than may wait, or a request behind a stream. */
  pipeline: 0,
  /** Nothing was taken of an answer for `limits.write_stall`. */
  'write-stall': 0,
  /** No TLS came about: a client without TLS, or a client that does not know the certificate. */
  tls: 0,
};

/** Why a client is turned away before it has a connection. */
export type Refusal = keyof typeof NONE;

/** How often clients were turned away, and why. */
export type Refusals = Record<Refusal, number>;

export function newRefusals(): Refusals {
  return { ...NONE };
}

/** What a client is told that has come with a request. */
export function refusalOf(why: Refusal): HttpReply {
  switch (why) {
    case 'full':
      return textReply(503, 'Error: full.', { 'Retry-After': '1' });
    case 'failed-authorisations':
      return tooManyAttempts;
    case 'origin':
      return forbidden;
    case 'publish-rate':
      return tooManyRequests('messages');
    default:
      return tooManyRequests('connections');
  }
}
