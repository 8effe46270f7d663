/**
 * The fields that frames between relays are made of: unsigned integers in network order, and bytes or UTF-8 text behind
 * their length in 32 bits. Reading never throws: what is not there makes the reader `bad`, and reads as nothing.
 */
export class Writer {
  readonly #chunks: Buffer[] = [];

  byte(value: number): this {
    this.#chunks.push(Buffer.from([value]));
    return this;
  }

  u32(value: number): this {
    const chunk = Buffer.allocUnsafe(4);
    chunk.writeUInt32BE(value);
    this.#chunks.push(chunk);
    return this;
  }

  /** Whole numbers up to 2^53 - 1. */
  u64(value: number): this {
    const chunk = Buffer.allocUnsafe(8);
    writeU64(chunk, value, 0);
    this.#chunks.push(chunk);
    return this;
  }

  bytes(value: Buffer): this {
    this.u32(value.length);
    this.#chunks.push(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

export class Reader {
  readonly #from: Buffer;
  #at = 0;
  bad = false;

  constructor(from: Buffer) {
    this.#from = from;
  }

  get left(): number {
    return this.#from.length - this.#at;
  }

  /** Everything was read, and nothing was missing. */
  get done(): boolean {
    return !this.bad && this.left === 0;
  }

  byte(): number {
    return this.#has(1) ? (this.#from[this.#at++] as number) : 0;
  }

  u32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return this.#from.readUInt32BE(this.#at - 4);
  }

  u64(): number {
    if (!this.#has(8)) return 0;
    this.#at += 8;
    const value = readU64(this.#from, this.#at - 8);
    if (!Number.isSafeInteger(value)) this.bad = true;
    return value;
  }

  /** A view of the frame. */
  bytes(): Buffer {
    const length = this.u32();
    if (!this.#has(length)) return NOTHING;
    this.#at += length;
    return this.#from.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString();
  }

  #has(length: number): boolean {
    if (this.bad || length > this.left) this.bad = true;
    return !this.bad;
  }
}

const NOTHING = Buffer.alloc(0);

export function writeU64(into: Buffer, value: number, offset: number): void {
  into.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  into.writeUInt32BE(value % 2 ** 32, offset + 4);
}

function readU64(from: Buffer, offset: number): number {
  return from.readUInt32BE(offset) * 2 ** 32 + from.readUInt32BE(offset + 4);
}
