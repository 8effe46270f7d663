import type { Connection } from './connection.ts';
import type { ClosedDetails } from './door-context.ts';
import type { Transport } from './transport.ts';

/** How many topics are kept by name; the others are counted. */
export const TOPICS_NAMED = 8;

/** What is kept of a connection that ends. Its topics are those that it is still in. */
export function detailsOf(connection: Connection): ClosedDetails {
  const topics: string[] = [];
  for (const { name } of connection.memberships) {
    if (topics.length === TOPICS_NAMED) break;
    topics.push(name);
  }
  return {
    authorised: connection.authorised,
    topics,
    topicCount: connection.memberships.size,
    owned: connection.owned?.name ?? null,
    pendingHighWater: connection.pendingHighWater,
    roundTrip: connection.heartbeat.roundTrip < 0 ? null : connection.heartbeat.roundTrip,
    event: connection.closeEvent || usualEvent(connection.closeReason, connection.transport.kind),
  };
}

function usualEvent(reason: string, transport: Transport['kind']): string {
  switch (reason) {
    case 'connection lost':
      return 'the socket closed without a close frame';
    case 'closed by client':
      return transport === 'stream' ? 'the client ended its request' : 'the client sent a close frame';
    case 'killed':
      return 'its process was killed';
    case 'authorize timeout':
      return 'no right was granted in time (limits.authorise)';
    case 'topic lost':
      return 'its topic ended and could not be had again';
    default:
      return 'the relay answered what the client had sent';
  }
}
