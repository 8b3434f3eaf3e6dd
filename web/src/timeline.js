// The timeline of a trace, on one canvas: lanes of bins, each as high as it was busy, with garbage
// collections and stops of the world over them. What is drawn is a column a pixel of each lane,
// however many events there were.
import { firstAfter, mean, unpack } from "./lanes.js";
import { quantity, seconds, share } from "./quantity.js";

const LANE = 22; // pixels a lane is high
const GAP = 2;
const RULER = 20;
const CLOSEST = 8; // bins that are shown at most closely
const LAYERS = { light: ["#3c7dd9", "#e0923a"], dark: ["#5d93dd", "#d08d45"] };
const SPANS = { light: ["#7d4fc4", "#c62828"], dark: ["#a98be0", "#ef7b7b"] };
const TITLES = {
  "scheduler.utilisation": "P",
  "scheduler.runnable": "ready, without a P",
  "scheduler.running": "",
};

const place = document.getElementById("timeline");
if (place) {
  place.hidden = false;
  new Timeline(place, JSON.parse(place.querySelector("script").textContent));
}

function Timeline(place, data) {
  const lanes = unpack(data);
  const map = place.querySelector(".map");
  const canvas = map.querySelector("canvas");
  const paint = canvas.getContext("2d");
  const tip = map.querySelector("[role=tooltip]");
  const range = place.querySelector("[data-range]");
  const said = place.querySelector(".said");
  const look = place.querySelector("[data-look]");
  const height = RULER + lanes.length * (LANE + GAP) + data.spans.length * (LANE / 2 + GAP);
  let from = 0;
  let to = data.bins;
  let chosen = 0;
  let drag = null;
  canvas.style.height = `${height}px`;

  const label = () => Math.min(180, canvas.clientWidth * 0.3);
  const wide = () => Math.max(1, canvas.clientWidth - label());
  const timeOf = (bin) => data.start + bin * data.step;
  const binAt = (x) => from + ((x - label()) / wide()) * (to - from);
  const laneTop = (index) => RULER + data.spans.length * (LANE / 2 + GAP) + index * (LANE + GAP);
  const dark = () => getComputedStyle(document.documentElement).getPropertyValue("--dark").trim() === "1";

  function draw() {
    const width = canvas.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink");
    const soft = style.getPropertyValue("--soft");
    const card = style.getPropertyValue("--card");
    const mark = style.getPropertyValue("--mark");
    const tones = dark() ? "dark" : "light";
    paint.clearRect(0, 0, width, height);
    paint.font = "12px system-ui, sans-serif";
    paint.textBaseline = "middle";
    ruler(soft);
    data.spans.forEach((span, index) => {
      const top = RULER + index * (LANE / 2 + GAP);
      text(span.title, top + LANE / 4, soft);
      spans(span, top, SPANS[tones][index % 2]);
    });
    lanes.forEach((lane, index) => {
      const top = laneTop(index);
      paint.fillStyle = index === chosen ? mark : card;
      paint.fillRect(label(), top, wide(), LANE);
      text(title(lane), top + LANE / 2, index === chosen ? ink : soft);
      columns(lane, top, LAYERS[tones]);
    });
    if (drag && drag.now !== drag.start) {
      paint.fillStyle = ink;
      paint.globalAlpha = 0.15;
      paint.fillRect(Math.min(drag.start, drag.now), 0, Math.abs(drag.now - drag.start), height);
      paint.globalAlpha = 1;
    }
    canvas.dataset.columns = Math.ceil(wide()) * lanes.length;
    canvas.dataset.from = timeOf(from);
    canvas.dataset.to = timeOf(to);
  }

  function columns(lane, top, tones) {
    const pixels = Math.ceil(wide());
    const bins = (to - from) / wide();
    for (let x = 0; x < pixels; x++) {
      let base = top + LANE;
      const begin = from + x * bins;
      lane.layers.forEach((layer, number) => {
        const value = mean(layer.before, begin, begin + bins);
        if (value <= 0) return;
        // A little work is a pixel high: nothing that happened is invisible.
        const high = Math.max(1, (value / lane.most) * LANE);
        paint.fillStyle = tones[number % tones.length];
        paint.fillRect(label() + x, Math.max(top, base - high), 1, Math.min(high, base - top));
        base -= high;
      });
    }
  }

  function spans(span, top, tone) {
    const perSecond = wide() / ((to - from) * data.step);
    const first = timeOf(from);
    paint.fillStyle = tone;
    let drawn = -1;
    for (const [begin, took] of span.rows) {
      if (begin + took < first || begin > timeOf(to)) continue;
      const x = (begin - first) * perSecond;
      const end = Math.max(x + 1, x + took * perSecond);
      if (end <= drawn) continue; // within the pixel of the one before
      const left = Math.max(0, x, drawn);
      paint.fillRect(label() + left, top, Math.min(end, wide()) - left, LANE / 2);
      drawn = Math.ceil(end);
    }
  }

  function ruler(soft) {
    const span = (to - from) * data.step;
    const rough = span / Math.max(2, wide() / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    paint.fillStyle = soft;
    for (let tick = Math.ceil(timeOf(from) / step) * step; tick <= timeOf(to); tick += step) {
      const x = label() + ((tick - timeOf(from)) / span) * wide();
      paint.fillRect(x, RULER - 4, 1, 4);
      const word = seconds(Number(tick.toPrecision(6)));
      if (x + paint.measureText(word).width < canvas.clientWidth) paint.fillText(word, x + 3, RULER / 2);
    }
  }

  function text(words, y, tone) {
    paint.fillStyle = tone;
    // Of a function the end tells most, of words the beginning.
    const function_ = words.includes(".");
    let kept = words;
    while (kept.length > 3 && paint.measureText(`${kept}…`).width > label() - 6) {
      kept = function_ ? kept.slice(1) : kept.slice(0, -1);
    }
    paint.fillText(kept === words ? words : function_ ? `…${kept}` : `${kept}…`, 0, y);
  }

  function title(lane) {
    const word = TITLES[lane.metric] ?? lane.metric;
    return [word, lane.name.replace(/^(proc|entry) /, "")].filter(Boolean).join(" ");
  }

  function value(lane, begin, end) {
    const parts = lane.layers.map((layer) => {
      const found = mean(layer.before, begin, end);
      const number = lane.unit === "ratio" ? share(found, 1) || "0%" : quantity(found, "");
      return layer.name ? `${number} ${layer.name}` : number;
    });
    return parts.join(", ");
  }

  function under(time, slack) {
    const found = [];
    for (const span of data.spans) {
      for (let i = firstAfter(span.rows, time + slack) - 1; i >= 0 && i > firstAfter(span.rows, time + slack) - 200; i--) {
        const [begin, took, kind] = span.rows[i];
        if (begin + took + slack >= time) {
          found.push(`${span.kinds[kind] || span.title}: ${seconds(took)}`);
          break;
        }
      }
    }
    return found;
  }

  function tell() {
    const lane = lanes[chosen];
    range.textContent = `${seconds(Math.max(0, timeOf(from)))} to ${seconds(timeOf(to))}`;
    said.textContent = `${title(lane)}: ${value(lane, from, to)} on average`;
    const closer = place.dataset.closer;
    if (closer) {
      look.hidden = to - from > data.bins / 2;
      const nanoseconds = (bin) => `${Math.max(0, Math.round(timeOf(bin) * 1e9))}ns`;
      look.href = `${closer}?from=${nanoseconds(from)}&to=${nanoseconds(to)}`;
    }
  }

  function show(start, end) {
    const span = Math.min(data.bins, Math.max(CLOSEST, end - start));
    from = Math.max(0, Math.min(data.bins - span, start));
    to = from + span;
    tip.hidden = true;
    draw();
    tell();
  }

  function zoom(factor, at = (from + to) / 2) {
    show(at - (at - from) * factor, at + (to - at) * factor);
  }

  const point = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener("pointerdown", (event) => {
    if (point(event) < label()) return;
    drag = { start: point(event), now: point(event) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      drag.now = Math.max(label(), Math.min(canvas.clientWidth, point(event)));
      draw();
      return;
    }
    hover(event);
  });
  canvas.addEventListener("pointerup", () => {
    if (!drag) return;
    const [left, right] = [drag.start, drag.now].sort((a, b) => a - b);
    drag = null;
    if (right - left > 4) show(binAt(left), binAt(right));
    else draw();
  });
  canvas.addEventListener("pointercancel", () => {
    drag = null;
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
  canvas.addEventListener("dblclick", () => show(0, data.bins));
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, binAt(point(event)));
    },
    { passive: false },
  );

  function hover(event) {
    const x = point(event);
    const y = event.clientY - canvas.getBoundingClientRect().top;
    const index = Math.floor((y - laneTop(0)) / (LANE + GAP));
    const bin = binAt(x);
    const bins = (to - from) / wide();
    const lines = [seconds(timeOf(bin)), ...under(timeOf(bin), bins * data.step)];
    if (index >= 0 && index < lanes.length) lines.splice(1, 0, `${title(lanes[index])}: ${value(lanes[index], bin - bins / 2, bin + bins / 2)}`);
    tip.hidden = x < label();
    tip.textContent = lines.join("\n");
    tip.style.left = `${Math.max(0, Math.min(x + 14, canvas.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${Math.min(y + 18, height - tip.offsetHeight)}px`;
  }

  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const span = to - from;
    const done = {
      ArrowLeft: () => show(from - span / 8, to - span / 8),
      ArrowRight: () => show(from + span / 8, to + span / 8),
      ArrowUp: () => choose(chosen - 1),
      ArrowDown: () => choose(chosen + 1),
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      Home: () => show(0, data.bins),
      Escape: () => show(0, data.bins),
    }[event.key];
    if (!done) return;
    done();
    event.preventDefault();
  });
  function choose(index) {
    chosen = Math.max(0, Math.min(lanes.length - 1, index));
    draw();
    tell();
  }
  for (const button of place.querySelectorAll("[data-do]")) {
    const done = { in: () => zoom(0.5), out: () => zoom(2), all: () => show(0, data.bins) };
    button.addEventListener("click", done[button.dataset.do]);
  }
  const legend = place.querySelector("[data-legend]");
  const layers = lanes[0].layers.map((layer) => layer.name).filter(Boolean);
  legend.hidden = !layers.length;
  layers.forEach((name, index) => {
    const item = document.createElement("span");
    const sign = document.createElement("i");
    sign.className = `layer${index}`;
    item.append(sign, name);
    legend.append(item);
  });
  document.addEventListener("themechange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
  show(0, data.bins);
}
