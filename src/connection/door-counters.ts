/** What one door has counted, for its own metrics. Gauges go up and down, the others only up. */
export interface DoorCounters {
  /** Accepted connections that are open now. */
  connections: number;
  /** Messages that came over them. */
  messages: number;
  /** Messages that came as HTTP requests. */
  posts: number;
  /** Deliveries to this door's members. */
  sends: number;
  /** Messages and deliveries that reached nobody. */
  drops: number;
}

export function newDoorCounters(): DoorCounters {
  return { connections: 0, messages: 0, posts: 0, sends: 0, drops: 0 };
}
