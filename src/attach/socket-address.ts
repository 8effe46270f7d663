import { closeSync, openSync } from 'node:fs';
import { platform } from 'node:os';
import { basename, dirname } from 'node:path';

/** `sun_path` holds 108 bytes with its final NUL (unix(7)). */
const LONGEST = 107;

/** Open for as long as the process lives: an address that goes through one is valid only so long. */
const folders = new Map<string, number>();

/**
 * The address of a UNIX socket, for a release may be unpacked deeper than an address is long: then it goes by way of an
 * open descriptor of its folder.
 */
export function socketAddress(path: string): string {
  if (Buffer.byteLength(path) <= LONGEST) return path;
  if (platform() !== 'linux')
    throw new Error(`the path of a socket has at most ${LONGEST} bytes; set var_dir`);
  const folder = dirname(path);
  const known = folders.get(folder);
  if (known !== undefined) closeSync(known);
  const descriptor = openSync(folder, 'r');
  folders.set(folder, descriptor);
  return `/proc/self/fd/${descriptor}/${basename(path)}`;
}
