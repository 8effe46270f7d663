import type { TopicRule } from './config.ts';
import { type Kind, listOf, orNull } from './kind.ts';
import { channelPattern } from './passwords.ts';
import { oneOf } from './scalars.ts';
import { key, section } from './section.ts';

const item = section({
  pattern: key(orNull(channelPattern), null),
  ordering: key(oneOf(['relay', 'cluster']), 'relay'),
});

const topicRule: Kind<TopicRule> = {
  expected: 'a pattern and what holds for it: { pattern: "orders.*", ordering: cluster }',
  parse(value, path, context) {
    let faults = 0;
    const { pattern, ordering } = item.read([{ key: '', value, at: value.at }], path, {
      ...context,
      places: new Map(),
      report: (...fault) => {
        faults += 1;
        context.report(...fault);
      },
    });
    if (faults > 0) return undefined;
    if (pattern !== null) return { pattern, ordering };
    context.report(value.at, path, topicRule.expected);
    return undefined;
  },
};

/** The first rule whose pattern matches counts. */
export const topicRules = listOf('a list of topics, each { pattern: …, ordering: … }', topicRule);
