import { type Command, nothing, type Session, type Step } from './contract.ts';

/** Where every session ends: nothing that happens to it has an effect. */
const closed: Session = {
  start: () => nothing,
  step: () => silence,
};

const silence: Step = [closed, nothing];

/** The last step of a session: these commands (a `reply`, or a `close` as the last of them), and nothing after. */
export function ending(...commands: readonly Command[]): Step {
  return [closed, commands];
}
