import type { ApiKey } from './config.ts';
import { type Kind, listOf, orNull, textKind } from './kind.ts';
import { fromHex, sha256 } from './secrets.ts';
import { key, section } from './section.ts';

// A domain and a key are segments of a URL's path, so neither can hold a slash.
export const domain = textKind('a domain of at most 64 characters without a slash', (text) =>
  /^[^/\0]{1,64}$/u.test(text) && !/\p{Cs}/u.test(text) ? text : undefined,
);
const plainKey = textKind('a key without a slash', (text) =>
  /^[^/\0]+$/.test(text) ? sha256(text) : undefined,
);
export const keyHash = textKind('the SHA-256 of a key: 64 hex digits', fromHex);

const item = section({
  domain: key(orNull(domain), null),
  key: key(orNull(plainKey), null),
  sha256: key(orNull(keyHash), null),
});

const apiKey: Kind<ApiKey> = {
  expected: 'a domain, and a key or sha256: { domain: example.com, key: … }',
  parse(value, path, context) {
    let faults = 0;
    const read = item.read([{ key: '', value, at: value.at }], path, {
      ...context,
      places: new Map(),
      report: (at, below, expected) => {
        faults += 1;
        // An unknown key may be an API key in the wrong place.
        const known = item.keys?.has(below.slice(path.length + 1));
        context.report(at, known ? below : path, expected);
      },
    });
    const one = read.key ?? read.sha256;
    if (faults > 0) return undefined;
    if (read.domain === null || one === null || (read.key !== null && read.sha256 !== null)) {
      context.report(value.at, path, apiKey.expected);
      return undefined;
    }
    return { domain: read.domain, sha256: one };
  },
};

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
