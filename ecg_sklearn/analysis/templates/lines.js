// The full disclosure: one line a minute, of which those in sight are drawn.
const box = byId("lines");
const canvasOfLines = box.querySelector("canvas");
const lines = { cursor: 0, size: 2, seconds: page.line, height: 48, left: 76 };
const SIZES = [5, 8, 12, 18, 27]; // pixels of 1 mV

function layOut() {
  lines.seconds = box.clientWidth < 600 ? 20 : page.line;
  lines.left = box.clientWidth < 600 ? 62 : 76;
  byId("per-line").textContent = lines.seconds === page.line ? "one line a minute"
    : `one line for ${lines.seconds} s`;
  lines.count = Math.max(Math.ceil(page.duration / lines.seconds), 1);
  box.firstElementChild.style.height = lines.count * lines.height + "px";
  drawLines();
}

function drawLines() {
  if (!data.ready) return;
  const width = box.clientWidth, height = Math.min(box.clientHeight, lines.count * lines.height);
  if (!width) return;
  const pen = sized(canvasOfLines, width, height);
  const first = Math.floor(box.scrollTop / lines.height);
  const last = Math.min(Math.ceil((box.scrollTop + height) / lines.height), lines.count);
  for (let line = first; line < last; line++) {
    drawLine(pen, line, line * lines.height - box.scrollTop, width);
  }
  const window = lines.seconds === page.line ? 10 : 4;
  const line = Math.floor(lines.cursor / lines.seconds);
  const scale = (width - lines.left) / lines.seconds;
  const x = lines.left + (lines.cursor - line * lines.seconds - window / 2) * scale;
  pen.strokeStyle = color("accent");
  pen.lineWidth = 2;
  pen.strokeRect(Math.max(x, lines.left), line * lines.height - box.scrollTop + 2,
    Math.min(window * scale, width - 2 - Math.max(x, lines.left)), lines.height - 4);
}

function drawLine(pen, line, top, width) {
  const start = line * lines.seconds, end = Math.min(start + lines.seconds, page.duration);
  const scale = (width - lines.left) / lines.seconds, foot = top + lines.height;
  const x = (time) => lines.left + (time - start) * scale;
  pen.textAlign = "left";
  pen.font = "12px system-ui, sans-serif";
  if (line % 2) {
    pen.globalAlpha = 0.5;
    pen.fillStyle = color("page");
    pen.fillRect(0, top, width, lines.height);
    pen.globalAlpha = 1;
  }
  pen.fillStyle = color("soft");
  pen.fillText(clock(start), 6, top + lines.height / 2 + 9, lines.left - 10);
  for (const [from, to, reason] of page.unreadable) {
    if (to <= start || from >= end) continue;
    const [a, b] = [x(Math.max(from, start)), x(Math.min(to, end))];
    pen.globalAlpha = 0.45;
    pen.fillStyle = color("lost");
    pen.fillRect(a, top + 1, b - a, lines.height - 2);
    pen.globalAlpha = 1;
    if (b - a > 60) {
      pen.fillStyle = color("ink");
      pen.fillText(reason, a + 5, foot - 6);
    }
  }
  if (!(places[lineOf(start)] >= 0)) {
    pen.fillText("not embedded", lines.left + 6, top + lines.height / 2 + 9);
    return;
  }
  const beats = beatsBetween(start, end).filter((beat) => beat.name !== "N");
  pen.save();
  pen.beginPath();
  pen.rect(lines.left, top - 6, width - lines.left, lines.height + 12);
  pen.clip();
  drawColumns(pen, start, end, x, (top + foot) / 2 + 10);
  pen.lineWidth = 1.6;
  for (const beat of beats) {
    pen.strokeStyle = color(beat.name);
    const [from, to] = [Math.max(beat.time - 0.2, start), Math.min(beat.time + 0.35, end)];
    trace(pen, Math.ceil(from * page.rate), Math.floor(to * page.rate),
      (position) => x(position / page.rate),
      (value) => (top + foot) / 2 + 10 - (value - lines.middle) * SIZES[lines.size]);
  }
  pen.restore();
  pen.textAlign = "center";
  pen.font = "bold 10px system-ui, sans-serif";
  let written = -Infinity; // letters do not lie on each other: the trace has colour too
  for (const beat of beats) {
    if (x(beat.time) < written + 8) continue;
    written = x(beat.time);
    pen.fillStyle = color(beat.name);
    pen.fillText(beat.name, written, top + 10);
  }
}

// The lowest and highest value in each column of pixels.
function drawColumns(pen, start, end, x, level) {
  const first = Math.ceil(start * page.rate), last = Math.floor(end * page.rate);
  const values = [];
  for (let position = first; position < last; position += 7) {
    const value = valueAt(position);
    if (!Number.isNaN(value)) values.push(value);
  }
  values.sort((a, b) => a - b);
  lines.middle = values.length ? values[values.length >> 1] : 0;
  const size = SIZES[lines.size];
  pen.strokeStyle = color("trace");
  pen.lineWidth = 0.9;
  pen.beginPath();
  let column = -1, low = 0, high = 0, isDown = false;
  const flush = () => {
    if (column < 0) return;
    const [top, foot] = [level - (high - lines.middle) * size, level - (low - lines.middle) * size];
    if (isDown) pen.lineTo(column, top);
    else pen.moveTo(column, top);
    pen.lineTo(column, foot);
    isDown = true;
    column = -1;
  };
  for (let position = first; position <= last; position++) {
    const value = valueAt(position);
    if (Number.isNaN(value)) {
      flush();
      isDown = false;
      continue;
    }
    const here = Math.floor(x(position / page.rate) * 2) / 2;
    if (here !== column) {
      flush();
      column = here;
      low = high = value;
    } else if (value < low) low = value;
    else if (value > high) high = value;
  }
  flush();
  pen.stroke();
}

function setCursor(time, center) {
  lines.cursor = clamp(time, 0, page.duration);
  const top = Math.floor(lines.cursor / lines.seconds) * lines.height;
  if (center) box.scrollTop = top - box.clientHeight / 2;
  else if (top < box.scrollTop) box.scrollTop = top;
  else if (top + lines.height > box.scrollTop + box.clientHeight) {
    box.scrollTop = top + lines.height - box.clientHeight;
  }
  byId("cursor").textContent = `Cursor at ${clock(lines.cursor)}`;
  drawLines();
}

function changeSize(way) {
  lines.size = clamp(lines.size + way, 0, SIZES.length - 1);
  drawLines();
}

box.addEventListener("scroll", () => requestAnimationFrame(drawLines));
box.addEventListener("click", (event) => {
  const area = box.getBoundingClientRect();
  const line = Math.floor((event.clientY - area.top - box.clientTop + box.scrollTop) / lines.height);
  const x = event.clientX - area.left - box.clientLeft - lines.left;
  const time = x / ((box.clientWidth - lines.left) / lines.seconds);
  if (line >= lines.count) return;
  setCursor((line + clamp(time / lines.seconds, 0, 1)) * lines.seconds);
  showStrip(lines.cursor);
});
box.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const page10 = 10 * lines.seconds;
  const steps = { ArrowUp: -lines.seconds, ArrowDown: lines.seconds, ArrowLeft: -2,
    ArrowRight: 2, PageUp: -page10, PageDown: page10, Home: -Infinity, End: Infinity };
  if (event.key in steps) {
    setCursor(lines.cursor + steps[event.key]);
    if (!dock.hidden) showStrip(lines.cursor);
  } else if (event.key === "Enter" || event.key === " ") {
    opener = box;
    showStrip(lines.cursor);
  } else if (event.key === "+" || event.key === "=") changeSize(1);
  else if (event.key === "-") changeSize(-1);
  else return;
  event.preventDefault();
});
byId("smaller").addEventListener("click", () => changeSize(-1));
byId("larger").addEventListener("click", () => changeSize(1));

// Hours to go to; minutes for a short recording.
{
  const step = page.duration > 7200 ? 3600 : page.duration > 600 ? 600 : 60;
  const first = step - (page.offset % step);
  const times = [0];
  for (let time = first; time < page.duration; time += step) times.push(time);
  for (const time of times) byId("hour").add(new Option(clock(time), time));
  byId("hour").addEventListener("change", () => {
    setCursor(Number(byId("hour").value));
    box.scrollTop = Math.floor(lines.cursor / lines.seconds) * lines.height;
    if (!dock.hidden) showStrip(lines.cursor);
  });
}
