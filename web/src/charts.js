// The value under the pointer of a line chart; the line itself is drawn by the server. A point is
// its name, what is said of it, and its place (0 left to 1 right) where points are not evenly apart.
export function charts() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const svg = figure.querySelector("svg");
    const line = svg.querySelector(".cursor");
    const said = figure.querySelector("[data-value]");
    const resting = said.textContent;
    const points = JSON.parse(figure.querySelector("script").textContent);
    const places = points.map((point, index) => point[2] ?? index / Math.max(1, points.length - 1));
    const nearest = (share) =>
      places.reduce((best, place, index) =>
        Math.abs(place - share) < Math.abs(places[best] - share) ? index : best, 0);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      const index = nearest(share);
      const point = points[index];
      const x = `${places[index] * 100}%`;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      line.removeAttribute("hidden");
      said.textContent = `${point[0]}: ${point[1]}`;
    });
    svg.addEventListener("pointerleave", () => {
      line.setAttribute("hidden", "");
      said.textContent = resting;
    });
  }
}
