/** A topic as relays name it to each other. */
export interface TopicKey {
  readonly realm: string;
  readonly name: string;
}

export function keyOf({ realm, name }: TopicKey): string {
  // A realm's name has no NUL, so that no two topics have one key.
  return `${realm}\0${name}`;
}
