const BEATS = 0;
const STALLS = 1;
const STALLED = 2;

/** Stalls of the event loop: what the watchdog and the thread that watches for it share. */
export class Stalls {
  readonly shared = new Int32Array(new SharedArrayBuffer(12));

  /** The event loop has had a turn. */
  beat(): void {
    Atomics.add(this.shared, BEATS, 1);
  }

  /** Stalls so far. */
  get count(): number {
    return Atomics.load(this.shared, STALLS);
  }

  get now(): boolean {
    return Atomics.load(this.shared, STALLED) === 1;
  }
}
