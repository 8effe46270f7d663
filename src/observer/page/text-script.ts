/** Numbers, times and names as text, as the observer page writes them. Pure, but for the clock's zone. */
export const textScript = String.raw`
  // A thin space between groups of three, as in 12 345.
  const whole = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u2009');
  const rate = (n) => n === 0 ? '0' : n < 0.1 ? '< 0.1' : n < 9.95 ? n.toFixed(1) : whole(n);
  const bytes = (n) => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let at = 0;
    while (n >= 1024 && at < units.length - 1) { n /= 1024; at++; }
    return (at === 0 || n >= 100 ? String(Math.round(n)) : n.toFixed(1)) + ' ' + units[at];
  };
  const ms = (n) => n === 0 ? '0' : n < 0.01 ? '< 0.01' : n < 1 ? n.toFixed(2) : n < 9.95 ? n.toFixed(1) : whole(n);
  const time = (n) => {
    const s = Math.floor(n / 1000);
    if (s < 60) return s + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min ' + s % 60 + ' s';
    if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
    return Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
  };
  // 10 min and not 10 min 0 s.
  const about = (n) => time(n).replace(/ 0 (s|min|h)$/, '');
  const clock = (at) => new Date(at).toLocaleTimeString();
  // 1 slow client, 2 slow clients, 0 slow clients.
  const plural = (n, one, many = one + 's') => whole(n) + ' ' + (n === 1 ? one : many);

  // Names come from clients: marks that turn the text round or cannot be seen are shown as what they are.
  const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => '\\u{' + c.codePointAt(0).toString(16) + '}');

  const plain = (value, indent = '') => {
    if (value === null || typeof value !== 'object') return visible(String(value));
    const entries = Array.isArray(value) ? value.map((item) => ['-', item]) : Object.entries(value).map(([name, item]) => [visible(name) + ':', item]);
    if (entries.length === 0) return Array.isArray(value) ? 'none' : 'empty';
    return entries.map(([name, item]) => '\n' + indent + name + ' ' + plain(item, indent + '  ')).join('');
  };
`;
