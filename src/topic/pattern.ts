/** Whether a topic's name matches a pattern: `*`, `prefix*`, or exactly one name. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
