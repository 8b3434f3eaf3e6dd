// The value under the pointer of a line chart; the line itself is drawn by the server.
export function charts() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const svg = figure.querySelector("svg");
    const line = svg.querySelector(".cursor");
    const said = figure.querySelector("[data-value]");
    const resting = said.textContent;
    const points = JSON.parse(figure.querySelector("script").textContent);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      const index = Math.round(share * (points.length - 1));
      const point = points[Math.max(0, Math.min(points.length - 1, index))];
      const x = (index / Math.max(1, points.length - 1)) * svg.viewBox.baseVal.width;
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
