import { WebSocket } from 'ws';

/** Connections that a relay remembers after they have closed, for `why`. */
const REMEMBERED = 10_000;
const AT_ONCE = 50;

/**
 * Has a relay remember as many closed connections as it does at the most. What fills up once and then stays would
 * otherwise look like what grows, for as long as it takes.
 */
export async function fillMemories(port: number): Promise<void> {
  let left = REMEMBERED;
  const oneByOne = async () => {
    while (left-- > 0) await comeAndGo(`ws://127.0.0.1:${port}/early-${left % AT_ONCE}`);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneByOne));
}

function comeAndGo(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new WebSocket(address, { perMessageDeflate: false });
    client.once('open', () => client.close());
    client.once('close', () => resolve());
    client.once('error', reject);
  });
}
