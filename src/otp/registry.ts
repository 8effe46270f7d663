import type { Pid, ProcessSystem } from './process.ts';

/**
 * A name, and what may be sent to whoever has it: `const router = processName<RouterMessage>('topics.router')`.
 * A name is freed when its process ends and taken again by its successor.
 */
export interface ProcessName<in Message> {
  readonly value: string;
  /** Type only. */
  readonly accepts?: (message: Message) => void;
}

export function processName<Message>(value: string): ProcessName<Message> {
  return { value };
}

/** The live process of that name. */
export function whereis<Message>(
  system: ProcessSystem,
  name: ProcessName<Message>,
): Pid<Message> | undefined {
  return system.names.get(name.value) as Pid<Message> | undefined;
}

/** Sends to whoever has the name. False: nobody has it (counted as a dead letter), or the mailbox is full. */
export function sendNamed<Message>(
  system: ProcessSystem,
  name: ProcessName<Message>,
  message: Message,
): boolean {
  const process = system.names.get(name.value);
  if (process === undefined) {
    system.counters.deadLetters++;
    return false;
  }
  return process.receive(message);
}

/** Informs whoever has the name; see `inform`. False: nobody has it. */
export function informNamed<Message>(
  system: ProcessSystem,
  name: ProcessName<Message>,
  message: Message,
): boolean {
  return system.names.get(name.value)?.inform(message) ?? false;
}
