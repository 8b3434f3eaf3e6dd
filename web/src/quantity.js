// Numbers, bytes, times and shares in the words that the rest of the report uses.
const SCALES = {
  bytes: [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
    ["B", 1],
  ],
  seconds: [
    ["s", 1],
    ["ms", 1e-3],
    ["µs", 1e-6],
    ["ns", 1e-9],
  ],
};

export function bytes(value) {
  return scaled(value, SCALES.bytes);
}

export function seconds(value) {
  if (value >= 119.5) return `${(value / 60).toFixed(1)} min`;
  return value ? scaled(value, SCALES.seconds) : "0 s";
}

function scaled(value, scale) {
  const found = scale.findIndex(([, least]) => value >= least);
  const at = found < 0 ? scale.length - 1 : found;
  const [name, factor] = scale[at];
  const number = value / factor;
  const whole = name === "B" || number >= 100;
  const shown = whole ? Math.round(number) : Number(number.toPrecision(3));
  // What is rounded up to the next unit is one of that: 1 s, and not 1000 ms.
  if (at && shown >= Math.round(scale[at - 1][1] / factor)) return `1 ${scale[at - 1][0]}`;
  return `${shown} ${name}`;
}

// A value in one of the report's units; `signed` has a plus before what is above zero.
export function quantity(value, unit, signed = false) {
  const sign = value < 0 ? "-" : signed && value > 0 ? "+" : "";
  const amount = Math.abs(value);
  if (unit === "nanoseconds") return sign + seconds(amount / 1e9);
  if (unit === "seconds") return sign + seconds(amount);
  if (unit === "bytes") return sign + bytes(amount);
  return sign + Number(amount.toPrecision(amount >= 1e4 ? 12 : 4)).toLocaleString("en");
}

export function money(value, currency, per = "", signed = false) {
  const amount = Math.abs(value);
  const plus = signed && value > 0 ? "+" : "";
  if (amount > 0 && amount < 0.005) return `${value < 0 ? "> -" : "< "}0.01 ${currency}${per}`;
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return `${value < 0 ? "-" : plus}${amount.toLocaleString("en", digits)} ${currency}${per}`;
}

export function share(part, whole) {
  if (!whole) return "";
  const value = (part / whole) * 100;
  return part && value < 0.1 ? "< 0.1%" : `${Number(value.toPrecision(3))}%`;
}
