/** One direction of what links this relay to another, or to the network that carries its messages. Times in seconds. */
export interface LinkView {
  /** The other relay's name, or its address while that is not known; `nats`: the network. */
  readonly peer: string;
  /** `in`: what comes from there; `out`: what goes there. */
  readonly direction: 'out' | 'in';
  readonly state: 'up' | 'down';
  readonly address: string | null;
  /** Why it is down. */
  readonly why: string | null;
  /** From a question to its answer, behind what was under way. */
  readonly roundTrip: number | null;
  /** How far what has come is behind what was sent. */
  readonly lag: number | null;
  /** Null: messages are not counted by this peer. */
  readonly messages: number | null;
  readonly bytes: number | null;
  /** Messages meant for the other side that did not get there. */
  readonly lost: number;
  /** Bytes that wait to be written. */
  readonly pending: number;
  /** How often it was made again. */
  readonly reconnects: number;
}
