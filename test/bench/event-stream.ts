import { connect, type Socket } from 'node:net';
import { decodeDigits } from './mark.ts';
import type { Tally } from './tally.ts';

/** Every stream reads into this one buffer: a read is handled before the next one starts. */
const chunk = Buffer.allocUnsafeSlow(64 * 1024);
const LONGEST_HEAD = 4096;
/** What the text of each message begins with, and how many bytes there are up to the end of its number. */
const MARK = Buffer.from('data: ~');
const MARKED = MARK.length + 3 + 4;

/** One stream of server-sent events on a bare socket, whose messages are counted and checked for their order. */
export class EventStream {
  readonly #socket: Socket;
  readonly #tally: Tally;
  readonly #done: (error?: Error) => void;
  #head: string | null = '';
  #next = 0;
  /** Of the last read: the beginning of a mark may be in it. */
  #rest = Buffer.alloc(0);

  /** `since`: the position of the last message that was seen; null: none was. */
  constructor(port: number, path: string, since: string | null, tally: Tally, done: (error?: Error) => void) {
    this.#tally = tally;
    this.#done = done;
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      onread: { buffer: chunk, callback: (length) => this.#read(length) },
    });
    this.#socket.on('error', (error) => done(error));
    this.#socket.on('close', () => done(new Error('closed')));
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${
        since === null ? '' : `Last-Event-ID: ${since}\r\n`
      }\r\n`,
    );
  }

  /** How many of so many messages never came. */
  lost(of: number): number {
    return of - this.#next;
  }

  destroy(): void {
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => undefined);
    this.#socket.resetAndDestroy();
  }

  #read(length: number): boolean {
    const bytes = chunk.subarray(0, length);
    if (this.#head === null) {
      this.#count(bytes);
      return true;
    }
    this.#head += bytes.toString('latin1', 0, LONGEST_HEAD);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return true;
    if (this.#head.startsWith('HTTP/1.1 200 ')) this.#done();
    else this.#done(new Error(`refused: ${this.#head.split('\r\n', 1)[0]}`));
    this.#head = null;
    this.#count(bytes);
    return true;
  }

  #count(read: Buffer): void {
    const tally = this.#tally;
    const bytes = this.#rest.length === 0 ? read : Buffer.concat([this.#rest, read]);
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(MARK, from);
      if (at < 0) {
        from = Math.max(from, bytes.length - MARK.length + 1);
        break;
      }
      from = at;
      if (at + MARKED > bytes.length) break;
      const sequence = decodeDigits(bytes.readUInt32BE(at + MARKED - 4));
      if (sequence < this.#next) tally.duplicates++;
      else {
        if (sequence > this.#next) tally.outOfOrder++;
        this.#next = sequence + 1;
        tally.delivered++;
      }
      from = at + MARKED;
    }
    this.#rest = Buffer.from(bytes.subarray(from));
  }
}
