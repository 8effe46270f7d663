/**
 * Who owns a topic, when every relay may have heard something else. Pure; time is an argument.
 *
 * - asked: a claim under way, which the others may refuse.
 * - owned: its owner is there.
 * - grace: its owner has gone, or its relay cannot be heard; another claim may take over.
 * - gone: over. Such a claim is only announced, never kept.
 *
 * The fixed rule, the same at every relay: an owned claim beats one that is asked; of two alike, the older one wins, and
 * of two as old the one whose relay's name comes first.
 */
export type ClaimState = 'asked' | 'owned' | 'grace' | 'gone';

export interface Claim {
  readonly node: string;
  readonly state: ClaimState;
  /** Milliseconds since 1970, by the clock of its relay. */
  readonly since: number;
  /** Milliseconds. */
  readonly grace: number;
  /** End of the grace, on this relay's own clock; 0 while there is none. */
  readonly until: number;
}

/** Whether claim `a` wins over claim `b`, both of them live. */
export function wins(a: Claim, b: Claim): boolean {
  if (a.state !== b.state) return a.state === 'owned';
  if (a.since !== b.since) return a.since < b.since;
  return a.node < b.node;
}

/** The claim that counts: the winner of those that are owned; without any, one whose grace runs. */
export function effective(claims: Iterable<Claim>, now: number): Claim | null {
  let best: Claim | null = null;
  for (const claim of claims) {
    if (claim.state === 'asked' || claim.state === 'gone') continue;
    if (claim.state === 'grace' && now >= claim.until) continue;
    if (best === null || claimRank(claim) < claimRank(best)) best = claim;
    else if (claimRank(claim) > claimRank(best)) continue;
    else if (claim.state === 'grace' ? claim.until > best.until : wins(claim, best)) best = claim;
  }
  return best;
}

function claimRank({ state }: Claim): number {
  return state === 'owned' ? 0 : 1;
}

/** Whether a claim that is asked for may be made, beside those that are known; its own relay's are no obstacle. */
export function mayClaim(asked: Claim, known: Iterable<Claim>): boolean {
  for (const claim of known) {
    if (claim.node === asked.node || claim.state === 'grace' || claim.state === 'gone') continue;
    if (wins(claim, asked)) return false;
  }
  return true;
}
