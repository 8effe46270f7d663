import type { ClaimsFrame, InterestFrame } from '../../door/peer/codec.ts';
import type { LinkMessage } from '../backplane.ts';

/** Topics in one frame: with names of the greatest length it stays below what the other side takes. */
const TOPICS = 200;

/** What is to be told of interest, as frames. Of several, the last carries the version that is to be confirmed. */
export function interestFrames({
  version,
  all,
  add,
  drop,
}: Extract<LinkMessage, { readonly type: 'interest' }>): InterestFrame[] {
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
}: Extract<LinkMessage, { readonly type: 'claims' }>): ClaimsFrame[] {
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
function pieces({ length }: readonly unknown[]): Piece[] {
  const found: Piece[] = [];
  for (let from = 0; from === 0 || from < length; from += TOPICS) {
    const to = from + TOPICS;
    found.push({ from, to, first: from === 0, last: to >= length });
  }
  return found;
}
