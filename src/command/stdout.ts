import { write } from 'node:fs';
import { Writable } from 'node:stream';

/** Milliseconds until a pipe that is full and does not block is tried again. */
const AGAIN = 5;

/**
 * Standard output of a command that writes for as long as it runs. Node's own blocks the whole process while nobody reads
 * the pipe, so that pings would have no answer and the relay would take the command for dead. This one waits in a thread.
 */
export class Stdout extends Writable {
  readonly #fd: number;

  constructor(fd: number) {
    super({ decodeStrings: true });
    this.#fd = fd;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#put(chunk, done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#put(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  #put(bytes: Buffer, done: (error?: Error | null) => void): void {
    write(this.#fd, bytes, (error, written) => {
      if (error !== null && error.code !== 'EAGAIN') {
        done(error);
        return;
      }
      const rest = bytes.subarray(error === null ? written : 0);
      if (rest.length === 0) done();
      else if (error === null) this.#put(rest, done);
      // Another program has made the pipe one that does not block.
      else setTimeout(() => this.#put(rest, done), AGAIN);
    });
  }
}
