import type { Pid } from '../otp/process.ts';
import { findProcess } from '../otp/sys.ts';
import type { Topic } from '../topic/topic.ts';
import { type NodeView, Refusal } from './relay-view.ts';

/**
 * The names that tools print, understood again: `<88>` (or 88), a registered name such as `topics.0.router`, and
 * `topic:REALM:NAME`, whose process is the topic's server.
 */
export type Ref = string | number;

export function processOf(node: NodeView, ref: unknown): Pid<never> {
  const topic = asTopic(node, ref);
  const pid = topic === undefined ? byNumberOrName(node, ref) : topic.server;
  if (pid === undefined) throw new Refusal(`no live process ${shown(ref)}`);
  return pid as Pid<never>;
}

export function topicOf(node: NodeView, ref: unknown): Topic {
  const topic = asTopic(node, ref);
  if (topic !== undefined) return topic;
  const number = numberOf(ref);
  if (number !== undefined) {
    for (const one of node.topics.all()) if (one.server?.id === number) return one;
  }
  throw new Refusal(
    `no live topic ${shown(ref)}; a topic is named as topic:REALM:NAME, such as topic:main:chat`,
  );
}

/** The number in `<88>`, `88` or 88. */
export function numberOf(ref: unknown): number | undefined {
  const text = typeof ref === 'number' ? String(ref) : typeof ref === 'string' ? ref : '';
  const digits = /^\s*(?:<(\d{1,15})>|(\d{1,15}))\s*$/.exec(text);
  return digits === null ? undefined : Number(digits[1] ?? digits[2]);
}

/** Realm and name of `topic:main:chat`; the name may hold colons, a realm does not. */
export function topicParts(ref: unknown): { readonly realm: string; readonly name: string } | undefined {
  const found = typeof ref === 'string' ? /^topic:([^:]+):([\s\S]+)$/.exec(ref) : null;
  return found === null ? undefined : { realm: found[1] as string, name: found[2] as string };
}

function asTopic(node: NodeView, ref: unknown): Topic | undefined {
  const parts = topicParts(ref);
  return parts === undefined ? undefined : node.topics.find(parts.realm, parts.name);
}

function byNumberOrName(node: NodeView, ref: unknown): Pid<never> | undefined {
  const number = numberOf(ref);
  if (number !== undefined) return findProcess(node.system, number);
  return typeof ref === 'string' ? findProcess(node.system, ref) : undefined;
}

function shown(ref: unknown): string {
  return typeof ref === 'string' || typeof ref === 'number'
    ? String(ref).slice(0, 200)
    : `of type ${typeof ref}`;
}
