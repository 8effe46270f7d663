import type { AuthenticatorConfig, PasswordEntry } from './config.ts';
import { type Kind, Refusal, textKind } from './kind.ts';
import { nearest } from './nearest.ts';

type AuthenticatorName = AuthenticatorConfig['name'];

const available: readonly AuthenticatorName[] = ['None', 'PasswordAuthenticator', 'MyAuthenticator'];

const later = 'is not available in this version';
const others = new Map([
  ['JWT', later],
  ['JWTAuthenticator', later],
  ['Forward', later],
  [
    'ApiKeys',
    'belongs to the wspubsub door alone, which has it anyway: its keys are in doors.wspubsub.apikeys',
  ],
]);

const expected = `one of ${available.join(', ')}`;

export const authenticatorName: Kind<AuthenticatorName> = textKind(expected, (text) => {
  const found = available.find((each) => each === text);
  if (found !== undefined) return found;
  const why = others.get(text);
  if (why !== undefined) return new Refusal(`${expected}; ${text} ${why}`);
  const near = nearest(text, available);
  return near === undefined ? undefined : new Refusal(`${expected}; did you mean "${near}"?`);
});

/** The settings that stand beside an `authenticator` key. */
export interface AuthenticatorSettings {
  readonly passwords: readonly PasswordEntry[];
  readonly allowReadByDefault: boolean;
}

export function authenticatorOf(
  name: AuthenticatorName,
  { passwords, allowReadByDefault }: AuthenticatorSettings,
): AuthenticatorConfig {
  return name === 'PasswordAuthenticator' ? { name, passwords, allowReadByDefault } : { name };
}
