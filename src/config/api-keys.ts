import type { ApiKey } from './config.ts';
import { type Instead, mistaken } from './evident.ts';
import { keyItem } from './key-item.ts';
import { type Kind, listOf, orNull, Refusal, textKind } from './kind.ts';
import { fromHex, sha256 } from './secrets.ts';
import { key, section } from './section.ts';

// A domain and a key are segments of a URL's path, so neither can hold a slash.
export const domain = textKind('a domain of at most 64 characters without a slash', (text) =>
  /^[^/\0]{1,64}$/u.test(text) && !/\p{Cs}/u.test(text) ? text : undefined,
);
const plainKey = textKind('a key without a slash', (text) => {
  if (!/^[^/\0]+$/.test(text) || text.trim() === '') return undefined;
  const why = mistaken(text, 'an API key', insteadOfApiKey);
  return why === null ? sha256(text) : new Refusal(why);
});
const asHash = 'if it is the key all the same, write sha256, with the 64 hex digits of its SHA-256';
const insteadOfApiKey: Instead = {
  key: asHash,
  'key set': asHash,
  path: `apikeys.file names a file with keys; ${asHash}`,
  address: asHash,
  hash: 'a hash stands in sha256, as 64 hex digits',
  token: asHash,
  placeholder: asHash,
};
export const keyHash = textKind('the SHA-256 of a key: 64 hex digits', fromHex);

const item = section({
  domain: key(orNull(domain), null),
  key: key(orNull(plainKey), null),
  sha256: key(orNull(keyHash), null),
});

const apiKey = keyItem(
  item,
  'a domain, and a key or sha256: { domain: example.com, key: … }',
  ({ domain: name, key: plain, sha256: hash }): ApiKey | null => {
    const one = plain ?? hash;
    return name === null || one === null || (plain !== null && hash !== null)
      ? null
      : { domain: name, sha256: one };
  },
);

/** One key for each domain, as in the table of wspubsub. */
export const apiKeys: Kind<readonly ApiKey[]> = {
  expected: 'a list of API keys',
  parse(value, path, context) {
    const domains = new Set<string>();
    const another: Kind<ApiKey> = {
      expected: apiKey.expected,
      parse(item, itemPath) {
        const parsed = apiKey.parse(item, itemPath, context);
        if (!parsed) return undefined;
        if (!domains.has(parsed.domain)) {
          domains.add(parsed.domain);
          return parsed;
        }
        context.report(item.at, itemPath, 'one key for each domain; this domain has one already');
        return undefined;
      },
    };
    return listOf(apiKeys.expected, another).parse(value, path, context);
  },
};
