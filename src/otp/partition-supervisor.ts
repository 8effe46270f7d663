import type { ChildSpec } from './child-spec.ts';
import type { Pid } from './process.ts';
import { type ProcessName, processName, whereis } from './registry.ts';
import { type SupervisorFlags, supervisor } from './supervisor.ts';
import type { System } from './system.ts';

/**
 * Several supervisors of one kind side by side, as Elixir's `PartitionSupervisor`: a child that keeps crashing uses up
 * the restarts of its own partition only, and its neighbours in the others live on.
 */
export interface Partitions<Message> {
  readonly spec: ChildSpec;
  /** The partition that this key belongs to; undefined while that partition is being restarted. */
  pick(system: System, key: number): Pid<Message> | undefined;
}

export interface PartitionOptions<Message> {
  readonly count: number;
  readonly flags?: SupervisorFlags;
  /** Makes the spec of one partition; `name` must be given to the process that `pick` is to find. */
  readonly partition: (index: number, name: ProcessName<Message>) => ChildSpec;
}

export function partitionSupervisor<Message>(
  id: string,
  options: PartitionOptions<Message>,
): Partitions<Message> {
  const names = Array.from({ length: options.count }, (_, index) => processName<Message>(`${id}.${index}`));
  const specs = names.map((name, index) => options.partition(index, name));
  return {
    spec: supervisor(id, { strategy: 'one_for_one', ...options.flags }, specs),
    pick: (system, key) => {
      const name = names[key % names.length];
      return name === undefined ? undefined : whereis(system, name);
    },
  };
}

/** A key for a text: FNV-1a over its UTF-16 units, 32 bits. */
export function hashKey(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
