import { closeSync, openSync } from 'node:fs';
import { platform } from 'node:os';
import { basename, dirname } from 'node:path';

/** `sun_path` holds 108 bytes with its final NUL (unix(7)). */
const LONGEST = 107;

/**
 * The address of a UNIX socket, for a release may be unpacked deeper than an address is long: then it goes by way of an
 * open descriptor of its folder, and is valid until `close`.
 */
export class SocketAddress {
  readonly text: string;
  #folder: number | null = null;

  /** Throws where the folder is not there, or the system has no such addresses. */
  constructor(path: string) {
    if (Buffer.byteLength(path) <= LONGEST) {
      this.text = path;
      return;
    }
    if (platform() !== 'linux')
      throw new Error(`the path of a socket has at most ${LONGEST} bytes; set var_dir`);
    this.#folder = openSync(dirname(path), 'r');
    this.text = `/proc/self/fd/${this.#folder}/${basename(path)}`;
  }

  close(): void {
    if (this.#folder !== null) closeSync(this.#folder);
    this.#folder = null;
  }
}
