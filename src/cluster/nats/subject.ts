import type { TopicKey } from '../../door/peer/codec.ts';

/**
 * Subjects of NATS. A topic is the subject `PREFIX.topic.REALM.NAME`, realm and name as one token each: letters, digits,
 * `-` and `_` stand for themselves, every other byte of the UTF-8 is `%` and two hex digits in upper case, and an empty
 * text is a lone `%`. So there is one subject for a topic, and one topic for a subject. See doc/nats.md.
 */
export interface Subjects {
  /** To all relays: that the sender is there, and what its clients own. */
  readonly relays: string;
  /** To all relays: the sender is new here, and wants to know everything. */
  readonly hello: string;
  /** To all relays: the numbers that the sender tells of itself; nothing at all: it says goodbye. */
  readonly vitals: string;
  topic(key: TopicKey): string;
  /** To one relay. */
  relay(incarnation: string): string;
}

export function subjects(prefix: string): Subjects {
  return {
    relays: `${prefix}.relays`,
    hello: `${prefix}.relays.hello`,
    vitals: `${prefix}.relays.vitals`,
    topic: ({ realm, name }) => `${prefix}.topic.${encodeToken(realm)}.${encodeToken(name)}`,
    relay: (incarnation) => `${prefix}.relay.${incarnation}`,
  };
}

/** The topic of a subject; null: it is none of this prefix. */
export function topicOfSubject(prefix: string, subject: string): TopicKey | null {
  const start = `${prefix}.topic.`;
  if (!subject.startsWith(start)) return null;
  const [realm, name, ...more] = subject.slice(start.length).split('.').map(decodeToken);
  if (realm == null || name == null || more.length > 0) return null;
  return { realm, name };
}

const EMPTY = '%';
const PLAIN = /^[A-Za-z0-9_-]+$/;

/** Of well-formed text: a lone surrogate has no UTF-8. */
export function encodeToken(text: string): string {
  if (PLAIN.test(text)) return text;
  if (text === '') return EMPTY;
  let token = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    token += PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return token;
}

/** Null: not what `encodeToken` makes of any text. */
export function decodeToken(token: string): string | null {
  if (token === EMPTY) return '';
  try {
    const text = decodeURIComponent(token);
    return encodeToken(text) === token ? text : null;
  } catch {
    return null;
  }
}
