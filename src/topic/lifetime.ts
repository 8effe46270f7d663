/**
 * Who owns a topic, and for how long it outlives its owner. Most topics are never owned and live as long as they have
 * members; a wspubsub topic lives as long as its owner and a time of grace, in which another owner may take it over.
 *
 * `elsewhere`: all that happens at another relay, whose word it is; `grace` says that its owner has gone.
 */
export type Lifetime<Owner> =
  | { readonly state: 'unowned' }
  | { readonly state: 'owned'; readonly owner: Owner; readonly grace: number }
  | { readonly state: 'grace'; readonly until: number }
  | { readonly state: 'elsewhere'; readonly grace: boolean };

export const unowned: Lifetime<never> = { state: 'unowned' };

/** Whether a client of another relay owns a topic. `grace`: it did, and another one may take over. */
export type RemoteOwnership = 'none' | 'owned' | 'grace';

/** The lifetime under a new owner; null while another one is there. */
export function claim<Owner>(lifetime: Lifetime<Owner>, owner: Owner, grace: number): Lifetime<Owner> | null {
  if (lifetime.state === 'owned' && lifetime.owner !== owner) return null;
  if (lifetime.state === 'elsewhere' && !lifetime.grace) return null;
  return { state: 'owned', owner, grace };
}

/** The owner is gone: grace begins. Anybody else's leaving changes nothing. */
export function ownerLeft<Owner>(lifetime: Lifetime<Owner>, who: Owner, now: number): Lifetime<Owner> {
  if (lifetime.state !== 'owned' || lifetime.owner !== who) return lifetime;
  return { state: 'grace', until: now + lifetime.grace };
}

/** True when the time of grace is over. */
export function hasEnded<Owner>(lifetime: Lifetime<Owner>, now: number): boolean {
  return lifetime.state === 'grace' && now >= lifetime.until;
}

/** Who else may publish: anybody to a topic that is not owned, its owner alone to one that is or was a moment ago. */
export function mayPublish(lifetime: Lifetime<unknown>, who: unknown): boolean {
  if (lifetime.state === 'unowned') return true;
  return lifetime.state === 'owned' && lifetime.owner === who;
}
