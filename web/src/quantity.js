// Bytes and shares in the words that the rest of the report uses.
const SCALE = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
];

export function bytes(value) {
  for (const [name, factor] of SCALE) {
    if (value >= factor) {
      const scaled = value / factor;
      return `${scaled >= 100 ? scaled.toFixed(0) : Number(scaled.toPrecision(3))} ${name}`;
    }
  }
  return `${Math.round(value)} B`;
}

export function share(part, whole) {
  if (!whole) return "";
  const value = (part / whole) * 100;
  return part && value < 0.1 ? "< 0.1%" : `${Number(value.toPrecision(3))}%`;
}
