// Sorting by a click on a heading and filtering by words, on tables that are in the page already.
export function tables() {
  for (const figure of document.querySelectorAll("[data-table]")) {
    sortable(figure.querySelector("table"));
    filterable(figure);
  }
  lead();
}

// On a server's page the names of what is costed lead to their own page.
function lead() {
  const start = document.querySelector("main").dataset.leads;
  if (!start) return;
  for (const body of document.querySelectorAll("[data-table=function] tbody, [data-table=other] tbody")) {
    for (const row of body.rows) {
      if (row.classList.contains("rest")) continue;
      const link = document.createElement("a");
      link.textContent = row.cells[0].textContent;
      link.href = start + encodeURIComponent(link.textContent);
      row.cells[0].replaceChildren(link);
    }
  }
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("n");
      const before = head.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : numeric;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sort(table.tBodies[0], column, numeric, descending);
    });
  });
}

function sort(body, column, numeric, descending) {
  const sign = descending ? -1 : 1;
  const rows = [...body.rows].map((row) => {
    const cell = row.cells[column];
    return { row, rest: row.classList.contains("rest"), key: numeric ? number(cell) : cell.textContent };
  });
  rows.sort((a, b) => {
    if (a.rest !== b.rest) return a.rest ? 1 : -1;
    if (!numeric) return sign * a.key.localeCompare(b.key);
    // What has no value goes last, whichever way round.
    if (Number.isNaN(a.key) || Number.isNaN(b.key)) return Number.isNaN(a.key) - Number.isNaN(b.key);
    return sign * (a.key - b.key);
  });
  body.append(...rows.map((entry) => entry.row));
}

function number(cell) {
  return cell.dataset.v === undefined ? NaN : Number(cell.dataset.v);
}

function filterable(figure) {
  const input = figure.querySelector("input[type=search]");
  if (!input) return;
  input.closest("label").hidden = false;
  const said = figure.querySelector("[data-count]");
  const rows = [...figure.querySelector("tbody").rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = words.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      shown += fits;
    });
    said.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
}
