import { isMap, isScalar, isSeq, parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { FiledKey } from '../../config/api-keys.ts';

const HEAD = ` The API keys of publishers, one for each domain: add and revoke them with "bin/fanfare apikey".
 A relay that runs notices changes. Of a key only its SHA-256 is here; the key itself is shown once, when it is added.`;

/** The file of keys without those of the domains `without`, and with `added`. What people wrote into it stays. Pure. */
export function withKeys(text: string, without: ReadonlySet<string>, added: readonly FiledKey[]): string {
  // The schema of the reader: every scalar is text, and is written as it was.
  const document = parseDocument(text, { schema: 'failsafe' });
  let list: YAMLSeq;
  if (isSeq(document.contents)) list = document.contents as YAMLSeq;
  else {
    list = new YAMLSeq();
    document.contents = list as unknown as typeof document.contents;
    if (text.trim() === '') document.commentBefore = HEAD;
  }
  list.flow = false;
  list.items = list.items.filter((item) => !without.has(domainOf(item)));
  for (const { domain, username, sha256, created } of added) {
    const item = new YAMLMap<string, Scalar>();
    item.set('domain', quoted(domain));
    item.set('username', quoted(username));
    item.set('sha256', new Scalar(sha256.toString('hex')));
    if (created !== null) item.set('created', new Scalar(created));
    list.items.push(item);
  }
  return document.toString({ lineWidth: 0 });
}

function domainOf(item: unknown): string {
  const domain = isMap(item) ? item.get('domain', true) : undefined;
  return isScalar(domain) ? String(domain.value) : '';
}

/** Some words are no text without quotes. */
function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = 'QUOTE_DOUBLE';
  return scalar;
}
