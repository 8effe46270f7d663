import type { Permissions } from '../authenticator/permissions.ts';
import type { Timer } from '../otp/timer.ts';

/** The rights of one credential, which may end. */
export interface Held {
  readonly permissions: Permissions;
  /** On the clock of the processes; null: not by time. */
  readonly until: number | null;
  readonly grace: number;
}

/** What a connection has to remember when some of its rights may end; see `rights.ts`. */
export class Ending {
  /** What holds for good. */
  lasting: Permissions;
  /** By the number of the question that brought it. */
  readonly held = new Map<number, Held>();
  /** For what ends next. */
  expiry: Timer | undefined = undefined;
  /** For the end of what may follow that. */
  grace: Timer | undefined = undefined;
  /** Topics that it was in, and may not read at the moment. */
  suspended: readonly string[] = [];

  constructor(lasting: Permissions) {
    this.lasting = lasting;
  }
}
