/** Lines of the charts of the observer page, from points in time to the paths of SVG. Pure. */
export const lineScript = `
  // Of a chart; room: above its highest point.
  const width = 600, height = 64, room = 6;
  // Milliseconds for which a line goes on without a sample.
  const gap = 5000;

  // The top of a chart. One outlier does not make a line of all the rest: where the highest is far above nearly all, the
  // chart ends a half above those, and what is higher is marked.
  function scaleOf(values, least, most) {
    if (most) return { top: most, peak: Math.max(0, ...values), cut: false };
    const sorted = values.toSorted((a, b) => a - b);
    const peak = sorted.at(-1) ?? 0;
    const usual = sorted[Math.floor((sorted.length - 1) * 0.98)] ?? 0;
    const cut = sorted.length >= 20 && usual > 0 && peak > usual * 3 && peak > (least ?? 0);
    return { top: Math.max((cut ? usual * 1.5 : peak * 1.08), least ?? 0) || 1, peak, cut };
  }

  // A line through what was measured. It ends where nothing was for a while; a sample alone is a dot.
  function pathOf(points, top) {
    let text = '', before = null;
    for (const { at, x, value } of points) {
      const y = (height - 1 - Math.min(1, value / top) * (height - room)).toFixed(1);
      text += before === null || at - before > gap ? 'M' + x.toFixed(1) + ' ' + y + 'h0' : 'L' + x.toFixed(1) + ' ' + y;
      before = at;
    }
    return text;
  }
  function areaOf(points, top) {
    let text = '', before = null;
    for (const { at, x, value } of points) {
      const y = (height - 1 - Math.min(1, value / top) * (height - room)).toFixed(1);
      if (before !== null && at - before.at <= gap) text += 'L' + x.toFixed(1) + ' ' + y;
      else text += (before === null ? '' : 'L' + before.x.toFixed(1) + ' ' + height + 'Z') + 'M' + x.toFixed(1) + ' ' + height + 'L' + x.toFixed(1) + ' ' + y;
      before = { at, x };
    }
    return before === null ? '' : text + 'L' + before.x.toFixed(1) + ' ' + height + 'Z';
  }
  // Marks at the top where the line is cut.
  const marksOf = (points, top) => points.filter(({ value }) => value > top).map(({ x }) => 'M' + x.toFixed(1) + ' 0v5').join('');
`;
