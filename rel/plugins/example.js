/**
 * An example of an authenticator of your own. Copy it, change it, and name the copy in the configuration, by its path
 * from the configuration file:
 *
 *     authenticator: ./plugins/mine.js
 *
 * It is loaded once, when the relay starts, and runs inside the relay: what takes long must be asynchronous, or all
 * clients wait for it. An answer that does not come within `authenticator_timeout` counts as none.
 */

/** What each credential opens. A real one would ask a database or another server. */
const members = new Map([
  ['secret of alice', { 'user.alice': 'rw', 'news.*': 'r' }],
  // `*` is every topic.
  ['secret of the editor', { '*': { read: true, write: true } }],
]);

/**
 * Called for each credential that a client gives: by a PuSu `authorize`, by `Authorization: Bearer` or `Basic` (its
 * password), or by `?access_token=`. For a client that gives none it is called with the empty text: a cookie may be enough.
 *
 * The answer, at once or as a promise, is an object or a `Map`: patterns of topics, each with `{ read, write }` or
 * with 'r', 'w' or 'rw'. A pattern is one topic (`news`), all that start alike (`user.*`), or all there are (`*`).
 * No pattern at all refuses the credential. A throw, or anything else, is a fault: it opens nothing, and is logged.
 *
 * @param {string} authorization The credential, or ''. Never write it to a log.
 * @param {{
 *   method: string,
 *   url: string,
 *   headers: Record<string, string>,
 *   door: string,
 *   address: string,
 * }} request The client's HTTP request: `url` is path and query, headers have names in lower case.
 */
export async function getPermissions(authorization, request) {
  if (request.door === 'pinghub' && request.headers['x-blocked'] !== undefined) return {};
  return members.get(authorization) ?? {};
}

/**
 * May be left out. Call `changed` whenever earlier answers may no longer hold: all who were granted something are asked
 * about again, and those who have lost what they use are closed. Returns what ends the watch.
 */
export function watch(changed) {
  // Where members change, this is where it is heard of; here, once a day is enough.
  const timer = setInterval(changed, 24 * 3600 * 1000);
  timer.unref();
  return () => clearInterval(timer);
}
