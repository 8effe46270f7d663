import type { ClaimsFrame, InterestFrame, PeerTopic } from './codec.ts';

/** Characters of names in one frame: it stays well below what the other side takes, unless one name alone does not. */
const CHARACTERS = 64 * 1024;
const PER_TOPIC = 40;

/** What is to be told of interest, as frames. Of several, the last carries the version that is to be confirmed. */
export function interestFrames({
  version,
  all,
  add,
  drop,
}: {
  readonly version: number;
  readonly all: boolean;
  readonly add: readonly PeerTopic[];
  readonly drop: readonly PeerTopic[];
}): InterestFrame[] {
  return pieces([...add, ...drop]).map(({ from, to, first, last }) => ({
    type: 'interest',
    version: last ? version : 0,
    begin: all && first,
    end: all && last,
    add: add.slice(from, to),
    drop: drop.slice(Math.max(0, from - add.length), Math.max(0, to - add.length)),
  }));
}

export function claimsFrames({
  ref,
  all,
  claims,
}: Pick<ClaimsFrame, 'ref' | 'claims'> & { readonly all: boolean }): ClaimsFrame[] {
  return pieces(claims).map(({ from, to, first, last }) => ({
    type: 'claims',
    ref,
    begin: all && first,
    end: all && last,
    claims: claims.slice(from, to),
  }));
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly first: boolean;
  readonly last: boolean;
}

/** At least one: nothing at all is told too. */
function pieces(topics: readonly { readonly name: string }[]): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  let size = 0;
  for (const [index, { name }] of topics.entries()) {
    const more = name.length + PER_TOPIC;
    if (index > from && size + more > CHARACTERS) {
      found.push({ from, to: index, first: from === 0, last: false });
      from = index;
      size = 0;
    }
    size += more;
  }
  found.push({ from, to: topics.length, first: from === 0, last: true });
  return found;
}
