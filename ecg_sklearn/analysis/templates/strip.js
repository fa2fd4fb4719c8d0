// The strip at the bottom of the window: any place on ECG paper.
const dock = byId("dock");
const strip = { at: 0, speed: 1, gain: 1, event: null };
const SPEEDS = [12.5, 25, 50], GAINS = [5, 10, 20]; // mm/s, mm/mV
const PAPER = { width: 250, height: 40, top: 22, bottom: 18 }; // mm, mm, px, px
const stripSeconds = () => PAPER.width / SPEEDS[strip.speed];
const stripStart = () =>
  clamp(strip.at - stripSeconds() / 2, 0, Math.max(page.duration - stripSeconds(), 0));

function eventAt(time) {
  // Of the events that hold the time, the one that starts last.
  let found = null;
  const last = search(page.events, time + 0.15, (event) => event[0]);
  for (let k = last - 1; k >= Math.max(last - 50, 0); k--) {
    if (page.events[k][1] >= time - 0.15) return page.events[k];
  }
  return found;
}

function drawStrip() {
  if (dock.hidden || !data.ready) return;
  const speed = SPEEDS[strip.speed] * MM, gain = GAINS[strip.gain] * MM;
  const width = PAPER.width * MM, height = PAPER.height * MM;
  const canvas = dock.querySelector("canvas");
  const pen = sized(canvas, width, height + PAPER.top + PAPER.bottom);
  const start = stripStart(), end = start + stripSeconds();
  pen.save();
  pen.translate(0, PAPER.top);
  pen.fillStyle = color("paper");
  pen.fillRect(0, 0, width, height);
  pen.beginPath();
  pen.rect(0, 0, width, height);
  pen.clip();
  for (const [step, name] of [[1, "fine"], [5, "coarse"]]) {
    pen.strokeStyle = color(name);
    pen.lineWidth = step === 1 ? 0.5 : 0.9;
    pen.beginPath();
    for (let x = 0; x <= PAPER.width; x += step) {
      pen.moveTo(x * MM, 0);
      pen.lineTo(x * MM, height);
    }
    for (let y = 0; y <= PAPER.height; y += step) {
      pen.moveTo(0, y * MM);
      pen.lineTo(width, y * MM);
    }
    pen.stroke();
  }
  pen.fillStyle = color("lost");
  pen.font = "12px system-ui, sans-serif";
  for (const [from, to, reason] of page.unreadable) {
    if (to <= start || from >= end) continue;
    const x = Math.max((from - start) * speed, 0);
    pen.globalAlpha = 0.4;
    pen.fillStyle = color("lost");
    pen.fillRect(x, 0, (to - start) * speed - x, height);
    pen.globalAlpha = 1;
    pen.fillStyle = color("ink");
    pen.fillText("not analysed: " + reason, x + 6, height - 8);
  }
  const first = Math.ceil(start * page.rate), last = Math.floor(end * page.rate);
  let low = Infinity, high = -Infinity;
  for (let position = first; position <= last; position++) {
    const value = valueAt(position);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const middle = high >= low ? (low + high) / 2 : 0;
  if (high < low) {
    pen.fillStyle = color("ink");
    pen.fillText(places[lineOf(strip.at)] >= 0 ? "Nothing was recorded here."
      : "This minute is not embedded.", width / 2 - 70, height / 2);
  }
  pen.strokeStyle = color("trace");
  pen.lineWidth = 1.3;
  trace(pen, first, last, (p) => (p / page.rate - start) * speed,
    (value) => height / 2 - (value - middle) * gain);
  pen.restore();

  const beats = beatsBetween(start, end);
  pen.textAlign = "center";
  for (const beat of beats) {
    const x = (beat.time - start) * speed;
    pen.font = "bold 13px system-ui, sans-serif";
    pen.fillStyle = color(beat.name);
    pen.fillText(beat.name + (beat.sure ? "" : "?"), x, 15);
    if (beat.rr * speed > 48000 && beat.rr < 15000) {
      pen.font = "10px system-ui, sans-serif";
      pen.fillStyle = color("soft");
      pen.fillText(Math.round(beat.rr), x - (beat.rr * speed) / 2000, 15);
    }
  }
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = color("soft");
  const step = SPEEDS[strip.speed] < 25 ? 4 : 2;
  for (let time = Math.ceil(start / step) * step; time < end; time += step) {
    const x = (time - start) * speed;
    if (x > 28 && x < width - 28) pen.fillText(clock(time), x, height + PAPER.top + 13);
    pen.fillRect(x, height + PAPER.top, 1, 3);
  }
  pen.fillRect((strip.at - start) * speed - 4, height + PAPER.top, 8, 3);
  canvas.setAttribute("aria-label", `Strip from ${clock(start, true)}: beats ` +
    (beats.map((beat) => beat.name).join("") || "none"));
  const event = strip.event || eventAt(strip.at);
  byId("dock-title").textContent = (event ? event[2] + ", " : "") +
    `${clock(strip.at)}, lead ${page.lead}, ${SPEEDS[strip.speed]} mm/s, ` +
    `${GAINS[strip.gain]} mm/mV`;
}

function showStrip(time, event = null) {
  const wasHidden = dock.hidden;
  strip.at = clamp(time, 0, page.duration);
  strip.event = event;
  dock.hidden = false;
  drawStrip();
  const height = dock.offsetHeight + "px";
  document.body.style.paddingBottom = height;
  root.style.scrollPaddingBottom = height;
  const box = dock.querySelector(".scroll");
  const x = (strip.at - stripStart()) * SPEEDS[strip.speed] * MM;
  box.scrollLeft = x - box.clientWidth / 2;
  if (wasHidden) root.dataset.strip = "open";
}

function closeStrip() {
  const hadFocus = dock.contains(document.activeElement);
  dock.hidden = true;
  document.body.style.paddingBottom = root.style.scrollPaddingBottom = "";
  delete root.dataset.strip;
  if (hadFocus && opener && opener.isConnected) opener.focus();
}
let opener = null; // what had the focus when the strip was opened

const moveStrip = (way) => showStrip(stripStart() + stripSeconds() * (0.5 + 0.2 * way));
function changeSpeed(way) {
  strip.speed = clamp(strip.speed + way, 0, SPEEDS.length - 1);
  showStrip(strip.at, strip.event);
}

// Open the strip, and tell the full disclosure.
function jump(time, event) {
  if (!dock.contains(document.activeElement)) opener = document.activeElement;
  showStrip(time, event);
  setCursor(time, true);
}

document.addEventListener("click", (event) => {
  const go = event.target.closest("[data-go]");
  if (go) jump(Number(go.dataset.go));
});
dock.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { move, speed, gain, close } = button.dataset;
  if (move) moveStrip(Number(move));
  if (speed) changeSpeed(Number(speed));
  if (gain !== undefined) {
    strip.gain = (strip.gain + 1) % GAINS.length;
    drawStrip();
  }
  if (close !== undefined) closeStrip();
});
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (dock.hidden || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "Escape") closeStrip();
  else if (target.closest("select, input, #lines, .strip")) return;
  else if (key === "ArrowLeft" || key === "ArrowRight") moveStrip(key === "ArrowLeft" ? -1 : 1);
  else if (key === "+" || key === "=") changeSpeed(1);
  else if (key === "-") changeSpeed(-1);
  else return;
  event.preventDefault();
});
