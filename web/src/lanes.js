// The lanes of a timeline: what the page carries for thousands of bins, and sums over any of them.

export function unpack(data) {
  return data.lanes.map((lane) => ({
    ...lane,
    // A running sum makes the mean over any stretch of bins two look-ups: every resolution at once.
    layers: lane.layers.map((layer) => ({ name: layer.name, before: summed(layer.values, lane.most, data.bins) })),
  }));
}

function summed(text, most, bins) {
  const before = new Float64Array(bins + 1);
  if (!text) return before;
  const bytes = atob(text);
  for (let i = 0; i < bins; i++) {
    const level = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    before[i + 1] = before[i] + (level / 65535) * most;
  }
  return before;
}

// The mean from one bin to another; both may lie within bins.
export function mean(before, from, to) {
  const last = before.length - 1;
  const start = Math.max(0, Math.min(last, from));
  const end = Math.max(0, Math.min(last, to));
  if (end <= start) return 0;
  return (upTo(before, end) - upTo(before, start)) / (end - start);
}

function upTo(before, place) {
  const bin = Math.floor(place);
  if (bin >= before.length - 1) return before[before.length - 1];
  return before[bin] + (before[bin + 1] - before[bin]) * (place - bin);
}

// Spans by what they are drawn over: the first that ends after a time, by halving.
export function firstAfter(rows, time) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
