// The table of events: sort, filter, go from row to row; then start everything.
const table = document.querySelector("#event-table table");
if (table) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const buttons = rows.map((row) => row.querySelector("button"));
  rows.forEach((row, k) => {
    row.event = page.events[k];
    buttons[k].tabIndex = k ? -1 : 0;
  });
  const keys = [
    (event) => event[0], (event) => event[2], (event) => event[3],
    (event) => (event[4] === null ? -1 : event[4]), (event) => event[1] - event[0],
  ];
  const inSight = () => Array.from(body.rows).filter((row) => !row.hidden);

  const select = (row, focus) => {
    for (const other of body.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    for (const other of body.querySelectorAll("button[tabindex='0']")) other.tabIndex = -1;
    row.setAttribute("aria-current", "true");
    const button = row.querySelector("button");
    button.tabIndex = 0;
    if (focus) button.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const show = (row) => {
    const [start, end] = row.event;
    const half = stripSeconds() / 2;
    jump(end - start < 1.6 * half ? (start + end) / 2 : start + half - 1, row.event);
    select(row, true); // after the strip, which takes room
  };

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) show(row);
  });
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const all = inSight();
    const place = all.indexOf(row);
    const goals = { ArrowUp: place - 1, ArrowDown: place + 1, PageUp: place - 10,
      PageDown: place + 10, Home: 0, End: all.length - 1 };
    if (!(event.key in goals) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const goal = all[clamp(goals[event.key], 0, all.length - 1)];
    if (dock.hidden) select(goal, true);
    else show(goal);
  });

  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = keys[column], sign = down ? -1 : 1;
    const sorted = rows.slice().sort((a, b) => {
      const [x, y] = [key(a.event), key(b.event)];
      return x < y ? -sign : x > y ? sign : a.event[0] - b.event[0];
    });
    body.append(...sorted);
    filter();
  }));

  const filter = () => {
    const kind = byId("kind").value;
    for (const row of rows) row.hidden = kind !== "" && row.event[2] !== kind;
    const all = inSight();
    byId("shown").textContent = `${all.length.toLocaleString("en")} shown`;
    if (all.length && !all.some((row) => row.querySelector("button").tabIndex === 0)) {
      for (const button of buttons) button.tabIndex = -1;
      all[0].querySelector("button").tabIndex = 0;
    }
  };
  byId("kind").addEventListener("change", filter);
  filter();
}

async function start() {
  for (const strip of document.querySelectorAll(".strip")) {
    strip.scrollLeft = (strip.scrollWidth - strip.clientWidth) / 2;
  }
  const note = byId("signal-note");
  if (typeof DecompressionStream === "undefined") {
    note.textContent = "This browser cannot unpack the signal (it has no DecompressionStream). " +
      "Open the page in a browser of 2023 or later.";
    root.dataset.ready = "no signal";
    return;
  }
  note.textContent = "The signal is being unpacked …";
  data.signal = await unpack("signal", page.n_samples, 2, Int16Array);
  data.times = await unpack("beat-times", page.n_beats, 4, Float64Array);
  data.classes = await unpack("beat-classes", page.n_beats, 1, Uint8Array);
  data.ready = true;
  note.hidden = true;
  layOut();
  setCursor(0);
  drawStrip();
  const redraw = () => { layOut(); if (!dock.hidden) showStrip(strip.at, strip.event); };
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  root.dataset.ready = "yes";
}
start();
