import { userInfo } from 'node:os';
import type { Asker } from '../attach/protocol.ts';
import { appendToAudit } from '../host/audit-log.ts';
import { Failed, type Place } from './command.ts';

/** The user of the system who runs this command. */
function userOf(env: NodeJS.ProcessEnv): string {
  const own = ownUser();
  const before = env['SUDO_USER'];
  return before === undefined || before === own ? own : `${before} as ${own}`;
}

function ownUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container it may have no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

export function askerOf(by: NonNullable<Asker['by']>, { env }: Pick<Place, 'env'>): Asker {
  return { by, who: userOf(env) };
}

/** Runs what changes a node from outside of it, and writes that into the node's audit log. */
export async function audited<T>(
  folder: string,
  { env }: Pick<Place, 'env'>,
  what: string,
  run: () => Promise<T>,
): Promise<T> {
  const write = (outcome: string) =>
    appendToAudit(folder, { by: 'command', who: userOf(env), what, outcome });
  try {
    const result = await run();
    write('done');
    return result;
  } catch (error) {
    const why = error instanceof Failed ? error.lines[0] : (error as Error).message;
    write(`failed: ${why ?? 'no reason is given'}`);
    throw error;
  }
}
