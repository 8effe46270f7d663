import type { HttpReply } from '../contract.ts';
import { textReply } from '../replies.ts';

/** pinghub's words for a 400. `why`: a sentence. */
export function badRequest(why: string): HttpReply {
  return textReply(400, `Error: bad request. ${why}`);
}
