/** Why clients were turned away before they had a connection, each with how often. */
export interface Refusals {
  /** `limits.connections` is reached. */
  full: number;
  /** The limit on open files is reached. */
  files: number;
  'address-full': number;
  'address-rate': number;
  'failed-authorisations': number;
  'publish-rate': number;
  origin: number;
  /** A proxy that has to send a PROXY header, and did not in time or sent none. */
  'proxy-header': number;
  /** More requests on one connection than may wait, or one behind a stream. */
  pipeline: number;
  /** Nothing was taken of an answer for `limits.write_stall`. */
  'write-stall': number;
  /** No TLS came about: a client without TLS, or one that does not know the certificate. */
  tls: number;
}

export function newRefusals(): Refusals {
  return {
    full: 0,
    files: 0,
    'address-full': 0,
    'address-rate': 0,
    'failed-authorisations': 0,
    'publish-rate': 0,
    origin: 0,
    'proxy-header': 0,
    pipeline: 0,
    'write-stall': 0,
    tls: 0,
  };
}
