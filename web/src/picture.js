// A picture is shown whole; a click, or Enter, shows the place that was clicked in full size.
export function picture() {
  const frame = document.querySelector(".picture");
  if (!frame) return;
  const image = frame.querySelector("img");
  const toggle = (x, y) => {
    const full = image.classList.toggle("full");
    if (!full) return;
    frame.scrollLeft = x * image.clientWidth - frame.clientWidth / 2;
    frame.scrollTop = y * image.clientHeight - frame.clientHeight / 2;
  };
  image.addEventListener("click", (event) => {
    const box = image.getBoundingClientRect();
    toggle((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });
  frame.addEventListener("keydown", (event) => {
    if (event.key === "Enter") toggle(0.5, 0);
  });
}
