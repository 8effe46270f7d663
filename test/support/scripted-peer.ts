import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { encodePeerFrame, type PeerFrame, parsePeerFrame } from '../../src/door/peer/codec.ts';
import { prove, spoken } from '../../src/door/peer/session.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { Arrivals } from './arrivals.ts';
import { SECRET } from './cluster.ts';
import type { TestRelay } from './relay.ts';

/** A relay that is none: it dials a real one and says what a test wants it to. */
export interface Dialler {
  readonly socket: WebSocket;
  readonly frames: Arrivals<PeerFrame | 'closed'>;
  send(frame: PeerFrame): void;
}

export async function dial(
  t: ExecutionContext,
  relay: TestRelay,
  versions: readonly string[] = ['fanfare.peer.1'],
): Promise<Dialler> {
  const socket = new WebSocket(`ws://127.0.0.1:${relay.port('network')}`, [...versions]);
  t.teardown(() => socket.terminate());
  const frames = new Arrivals<PeerFrame | 'closed'>('frames');
  socket.on('message', (payload: Buffer) => {
    const frame = parsePeerFrame(payload, spoken(socket.protocol));
    if (frame !== null) frames.push(frame);
  });
  socket.on('close', () => frames.push('closed'));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.on('open', resolve));
  return { socket, frames, send: (frame) => socket.send(encodePeerFrame(frame, spoken(socket.protocol))) };
}

export const nonce = Buffer.alloc(32, 1);

/** Goes through the handshake as a relay of that name, and returns how it ends. */
export async function handshake(
  t: ExecutionContext,
  relay: TestRelay,
  node: string,
  incarnation: string,
  secret: string | null = SECRET,
): Promise<PeerFrame | 'closed'> {
  return introduce(t, await dial(t, relay), node, incarnation, secret);
}

/** The same on a connection that is there. */
export async function introduce(
  t: ExecutionContext,
  { frames, send }: Dialler,
  node: string,
  incarnation: string,
  secret: string | null = SECRET,
): Promise<PeerFrame | 'closed'> {
  const key = secret === null ? null : sha256(secret);
  const dialling = { node, incarnation };
  send({ type: 'hello', relay: dialling, nonce, of: '', last: 0, received: 0, epoch: 0 });
  const challenge = await frames.next();
  if (challenge === 'closed' || challenge.type !== 'challenge') return challenge;
  const both = { dialling, dialled: challenge.relay, diallingNonce: nonce, dialledNonce: challenge.nonce };
  send({ type: 'proof', mac: prove(key, 'dialling', both) });
  const answer = await frames.next();
  if (answer !== 'closed' && answer.type === 'welcome') {
    t.deepEqual(answer.mac, prove(key, 'dialled', both), 'the other side proves it too');
  }
  return answer;
}

/** Of the end of a handshake: what it was, or why it was refused. */
export const why = (answer: PeerFrame | 'closed') =>
  answer === 'closed' ? answer : answer.type === 'refuse' ? answer.why : answer.type;
