import { noneAuthenticator } from '../../src/authenticator/none.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';

authenticatorContract('None', {
  make: () => noneAuthenticator,
  grants: [
    { authorization: 'anything', read: ['a', '*', '__proto__'], write: ['a', 'x/y', '__proto__'] },
    { authorization: '', read: ['a'], write: ['a'] },
  ],
});
