import { myAuthenticator } from '../../src/authenticator/my-authenticator.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';

authenticatorContract('MyAuthenticator', {
  make: () => myAuthenticator,
  grants: [{ authorization: 'anything', neither: ['a', '*', '__proto__'] }],
});
