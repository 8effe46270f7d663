/** A file of an archive. */
export interface Packed {
  readonly name: string;
  readonly content: string;
}

const BLOCK = 512;

/**
 * A tar archive in the format of POSIX (ustar), as every `tar` reads it. `folder`: the one that all files are in; `at`: their
 * time, in seconds since 1970. Names have at most 100 bytes together with the folder.
 */
export function tarOf(folder: string, files: readonly Packed[], at: number): Buffer {
  const parts = files.flatMap(({ name, content }) => {
    const body = Buffer.from(content);
    return [header(`${folder}/${name}`, body.length, at), body, Buffer.alloc(padding(body.length))];
  });
  // The end is two blocks of zeros.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function padding(length: number): number {
  return (BLOCK - (length % BLOCK)) % BLOCK;
}

function header(name: string, size: number, at: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new Error(`too long a name for the archive: ${name}`);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o600, 8), 100);
  // Owner and group.
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(at, 12), 136);
  // While the sum is made, blanks stand in its place.
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\0' + '00', 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
