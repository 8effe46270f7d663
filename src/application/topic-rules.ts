import { allows, onPatterns, readOnly } from '../authenticator/permissions.ts';
import type { Config, TopicRule } from '../config/config.ts';
import type { HistorySettings } from '../topic/history/histories.ts';

/** What holds for a topic of that name: the first rule whose pattern matches; undefined: none does. */
export function topicRules(topics: Config['topics']): (name: string) => TopicRule | undefined {
  const rules = topics.map((rule) => ({ rule, matching: onPatterns([rule.pattern], readOnly) }));
  return (name) => rules.find(({ matching }) => allows(matching, 'read', name))?.rule;
}

/** What is kept of which topics. */
export function historySettings({ topics, history }: Config): HistorySettings {
  const ruleOf = topicRules(topics);
  const isOn = topics.some((rule) => rule.history !== null);
  return { ...history, rule: isOn ? (name) => ruleOf(name)?.history ?? null : null };
}
