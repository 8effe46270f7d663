import { isTopicName } from '../../topic/topic-name.ts';
import type { Door, DoorRequest, Route } from '../contract.ts';
import { credentialOf } from '../credential.ts';
import { methodNotAllowed, notFound, textReply, upgradeRequired } from '../replies.ts';
import { segments } from '../request-path.ts';
import { SPOKEN } from '../subprotocol.ts';
import { wspubsubFormat } from './format.ts';
import { ownerSession, subscriberSession } from './sessions.ts';

export interface WspubsubOptions {
  /** The longest `Domain/Topic`, in characters; 0: no limit. */
  readonly topicLength: number;
  /** Subscribers need the right to read: another door has the same realm, or this one has an authenticator. */
  readonly subscribersNeedRight: boolean;
}

const badParts = textReply(400, 'Bad Request: /ws/pub/ApiKey/Domain/Topic or /ws/sub/Domain/Topic');
const badTopic = textReply(400, 'Bad Request: Domain/Topic is too long');
const wrongMethod = methodNotAllowed('GET');

/** wspubsub: topics with one publisher each, which an API key for the domain lets in, and open to subscribers. */
export function wspubsubDoor({ topicLength, subscribersNeedRight }: WspubsubOptions): Door {
  function topicAt(path: string): string | null {
    const role = roleOf(path);
    if (role === 'none' || role === 'malformed' || role.key !== null) return null;
    return isTopicName(role.topic, topicLength) ? role.topic : null;
  }

  return {
    name: 'wspubsub',
    protocols: SPOKEN.wspubsub,
    route(request: DoorRequest): Route {
      // The answer never repeats the path: the key is in it.
      const role = roleOf(request.path);
      if (role === 'none') return notFound;
      if (role === 'malformed') return badParts;
      if (!isTopicName(role.topic, topicLength)) return badTopic;
      if (request.method !== 'GET') return wrongMethod;
      if (!request.upgrade) return upgradeRequired;
      if (role.key !== null) {
        // Owners are not members: nothing is delivered to them.
        return {
          type: 'open',
          transport: 'websocket',
          format: null,
          session: ownerSession(role.key, role.topic),
          guard: 'apikeys',
        };
      }
      return {
        type: 'open',
        transport: 'websocket',
        format: wspubsubFormat,
        session: subscriberSession(role.topic, subscribersNeedRight ? credentialOf(request) : null),
        guard: subscribersNeedRight ? 'authenticator' : 'open',
        about: { read: true, write: false, topicAt },
      };
    },
  };
}

/** `key`: of a publisher; null for a subscriber. */
interface Role {
  readonly key: string | null;
  readonly topic: string;
}

function roleOf(path: string): Role | 'malformed' | 'none' {
  const [ws, side, ...rest] = segments(path);
  if (!path.startsWith('/') || ws !== 'ws' || (side !== 'pub' && side !== 'sub')) return 'none';
  const parts = rest.filter(isPart);
  if (parts.length !== rest.length) return 'malformed';
  const [key, domain, topic] = side === 'pub' ? parts : [null, ...parts];
  const wanted = side === 'pub' ? 3 : 2;
  if (parts.length !== wanted || key === undefined) return 'malformed';
  return { key, topic: `${domain}/${topic}` };
}

/** A `/` in a part would let one domain's key name another domain's topic. */
function isPart(part: string | null): part is string {
  return part !== null && part !== '' && !part.includes('/') && !part.includes('\0');
}
