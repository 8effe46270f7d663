/** The charts of the observer page. */
export const chartScript = `
  const kept = 600;
  // Milliseconds that the charts show.
  const shortest = 120000, longest = 600000;
  let samples = [];
  let cursor = null; // a place in samples, or null

  // one: the line with an area; two: another line on the same scale.
  const tiles = [
    { title: 'Messages in', one: (s) => s.messages, show: rate, unit: '/s',
      also: (s) => [plural(s.connections, 'connection')] },
    { title: 'Deliveries', one: (s) => s.deliveries, show: rate, unit: '/s',
      also: (s) => [s.dropped > 0 ? rate(s.dropped) + ' dropped/s' : 'nothing dropped'] },
    { title: 'Publish to write', one: (s) => s.latency50, two: (s) => s.latency99, show: ms, unit: 'ms',
      also: (s) => ['p50, and ', ['p99 ' + (s.latency99 === null ? '–' : ms(s.latency99) + ' ms')]] },
    { title: 'Event loop delay', one: (s) => s.loopDelay, show: ms, unit: 'ms', least: 10, also: () => ['worst of each second'] },
    { title: 'Event loop busy', one: (s) => s.utilisation * 100, show: (n) => n.toFixed(n < 10 ? 1 : 0), unit: '%', most: 100,
      also: (s) => [s.utilisation > 0.9 ? 'near its limit' : 'of one core'] },
    { title: 'Memory', one: (s) => s.rss, two: (s) => s.heapUsed, show: (n) => bytes(n).split(' ')[0], unit: (n) => bytes(n).split(' ')[1],
      peak: bytes, also: (s) => ['resident, ', ['heap ' + bytes(s.heapUsed)]] },
  ];

  for (const tile of tiles) {
    tile.now = el('p', { class: 'now' });
    tile.also_ = el('p', { class: 'also' });
    tile.peakAt = el('span', {});
    tile.from = el('span', {});
    tile.area = svg('path', { class: 'area' });
    tile.line = svg('path', { class: 'line' });
    tile.second = svg('path', { class: 'line two' });
    tile.cuts = svg('path', { class: 'cuts' });
    tile.cursor = svg('line', { class: 'cursor', y1: 0, y2: height, visibility: 'hidden' });
    const chart = svg('svg', { viewBox: '0 0 ' + width + ' ' + height, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    chart.append(tile.area, tile.line, tile.second, tile.cuts, tile.cursor);
    chart.onpointermove = (event) => {
      const box = chart.getBoundingClientRect();
      const at = timeAt((event.clientX - box.left) / box.width * width);
      const near = samples.reduce((best, sample, index) => Math.abs(sample.at - at) < Math.abs((samples[best]?.at ?? 0) - at) ? index : best, 0);
      cursor = samples.length > 0 && Math.abs(samples[near].at - at) <= gap ? near : null;
      drawTiles();
    };
    chart.onpointerleave = () => { cursor = null; drawTiles(); };
    byId('tiles').append(el('article', { class: 'tile' }, el('h2', {}, tile.title), tile.now, tile.also_, el('p', { class: 'scale' }, tile.peakAt, tile.from), chart));
  }

  // A young relay has less than ten minutes to show: what there is fills the width, from two minutes on.
  const newest = () => samples.at(-1)?.at ?? 0;
  const span = () => Math.min(longest, Math.max(shortest, newest() - (samples[0]?.at ?? 0)));
  const placeOf = (at) => width - (newest() - at) / span() * width;
  const timeAt = (x) => newest() - (width - x) / width * span();

  // Samples that have come, the oldest first. A relay whose clock was set back begins anew.
  function note(more) {
    for (const sample of more) {
      if (sample.at < newest() - 1000) samples = [];
      if (sample.at > newest()) samples.push(sample);
    }
    const before = samples.length;
    samples = samples.filter(({ at }) => at >= newest() - longest).slice(-kept);
    if (cursor !== null) cursor = Math.max(0, cursor - (before - samples.length));
  }

  function drawTiles() {
    const shown = samples[cursor === null ? samples.length - 1 : cursor];
    if (shown === undefined) return;
    const points = (read) => samples.map((sample) => ({ at: sample.at, x: placeOf(sample.at), value: read(sample) })).filter(({ value }) => value !== null);
    for (const tile of tiles) {
      const one = points(tile.one), two = tile.two ? points(tile.two) : [];
      const { top, peak, cut } = scaleOf([...one, ...two].map(({ value }) => value), tile.least, tile.most);
      tile.line.setAttribute('d', pathOf(one, top));
      tile.area.setAttribute('d', areaOf(one, top));
      tile.second.setAttribute('d', pathOf(two, top));
      tile.cuts.setAttribute('d', cut ? marksOf(one, top) + marksOf(two, top) : '');
      let value = tile.one(shown);
      // Latency is known of some seconds only: the last one that is known says more than nothing.
      if (value === null && cursor === null) value = one.at(-1)?.value ?? null;
      const unit = typeof tile.unit === 'function' ? tile.unit(value ?? 0) : tile.unit;
      setAttr(tile.now, 'class', value === null || value === 0 ? 'now zero' : 'now');
      patch(tile.now, [value === null ? '–' : tile.show(value), unit].map((text, index) => index === 0 ? document.createTextNode(text) : el('small', {}, text)));
      const also = tile.also(shown);
      const ago = cursor === null ? null : Math.round((newest() - shown.at) / 1000) * 1000;
      const seen = ago === null ? also : [(ago === 0 ? 'now' : time(ago) + ' ago') + (also.some(Array.isArray) ? ', ' : ''), ...also.filter(Array.isArray)];
      patch(tile.also_, seen.map((part) => Array.isArray(part) ? el('b', {}, part[0]) : document.createTextNode(part)));
      const showPeak = tile.peak ?? tile.show;
      setText(tile.peakAt, peak > 0 && !tile.most ? 'max ' + showPeak(peak) + (cut ? ', cut at ' + showPeak(top) : '') : '');
      setText(tile.from, cursor === null ? about(span()) : '');
      tile.cursor.setAttribute('visibility', cursor === null ? 'hidden' : 'visible');
      if (cursor !== null) { tile.cursor.setAttribute('x1', placeOf(shown.at)); tile.cursor.setAttribute('x2', placeOf(shown.at)); }
    }
  }
`;
