/**
 * Errors that nobody caught, and that are an operator's own: thrown by what they left running, in the realm of their
 * session. Whoever starts the program asks here before an uncaught error ends it.
 */
export type Claim = (error: unknown, promise: Promise<unknown> | null) => boolean;

const claims = new Set<Claim>();

/** Asks `claim` about every uncaught error. Returns what ends that. */
export function claimErrors(claim: Claim): () => void {
  claims.add(claim);
  return () => claims.delete(claim);
}

/** True: it was an operator's, who has been told. */
export function isStray(error: unknown, promise: Promise<unknown> | null): boolean {
  for (const claim of claims) if (claim(error, promise)) return true;
  return false;
}
