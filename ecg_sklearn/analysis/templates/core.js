// Errors, data and drawing helpers that the other scripts share.
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const report = (message) => {
  root.dataset.errors = (root.dataset.errors || "") + message + "\n";
};
addEventListener("error", (event) => report(event.message));
addEventListener("unhandledrejection", (event) => report(String(event.reason)));

const page = JSON.parse(byId("page-data").textContent);
const MM = 96 / 25.4; // CSS pixels in a millimetre
const color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const lineOf = (time) => Math.floor(time / page.line);

function clock(seconds, withTenths) {
  const total = Math.max(page.has_clock ? page.offset + seconds : seconds, 0);
  const day = page.has_clock ? Math.floor(total / 86400) : 0;
  const rest = total - 86400 * day;
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const hours = page.has_clock ? two(rest / 3600) : String(Math.floor(rest / 3600));
  const tenths = withTenths ? "." + (Math.floor(rest * 10 + 1e-6) % 10) : "";
  return (page.counts_days ? `day ${day + 1} ` : "") + `${hours}:${two((rest / 60) % 60)}:${two(rest % 60)}${tenths}`;
}

// Undo _disclosure._pack: inflate, join the planes of bytes, zigzag, add up.
async function unpack(id, count, width, Result) {
  const text = atob(byId(id).textContent);
  const packed = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) packed[k] = text.charCodeAt(k);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  if (planes.length !== count * width) throw new Error(`${id}: the data are damaged`);
  const values = new Result(count);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    let coded = 0;
    for (let plane = width - 1; plane >= 0; plane--) {
      coded = coded * 256 + planes[plane * count + k];
    }
    sum += coded % 2 ? -(coded + 1) / 2 : coded / 2;
    values[k] = sum;
  }
  return values;
}

const data = { ready: false };
// Where each embedded minute starts among the samples, -1 if it is not embedded.
const bound = (line) => Math.round(line * page.line * page.rate);
const places = new Int32Array(page.n_lines).fill(-1);
{
  let place = 0;
  for (const line of page.lines || places.keys()) {
    places[line] = place;
    place += bound(line + 1) - bound(line);
  }
}

// The value in mV at a position of the thinned signal, NaN where there is none.
let gap = 0; // the next gap, remembered because positions mostly ascend
function valueAt(position) {
  const gaps = page.gaps;
  while (gap > 0 && gaps[gap - 1] > position) gap -= 2;
  while (gap < gaps.length && gaps[gap + 1] <= position) gap += 2;
  if (position < 0 || (gap < gaps.length && gaps[gap] <= position)) return NaN;
  let line = lineOf(position / page.rate);
  if (position < bound(line)) line -= 1;
  else if (position >= bound(line + 1)) line += 1;
  if (!(places[line] >= 0)) return NaN;
  const found = data.signal[places[line] + position - bound(line)];
  return found === undefined ? NaN : found * page.step;
}

// First position in ascending values that is not below the wanted one.
function search(values, wanted, get = (value) => value) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (get(values[middle]) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Beats between two times in s: {time, name, sure, rr}.
function beatsBetween(start, end) {
  const found = [];
  for (let k = search(data.times, start * 1000); k < data.times.length; k++) {
    if (data.times[k] > end * 1000) break;
    found.push({
      time: data.times[k] / 1000,
      name: page.names[data.classes[k] % 8],
      sure: data.classes[k] < 8,
      rr: k ? data.times[k] - data.times[k - 1] : NaN,
    });
  }
  return found;
}

// A canvas of a size in CSS pixels, sharp on any screen.
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineJoin = "round";
  return pen;
}

// Join points; a gap where a value is not finite.
function trace(pen, first, last, x, y) {
  pen.beginPath();
  let isDown = false;
  for (let position = first; position <= last; position++) {
    const value = valueAt(position);
    if (Number.isNaN(value)) isDown = false;
    else if (isDown) pen.lineTo(x(position), y(value));
    else {
      pen.moveTo(x(position), y(value));
      isDown = true;
    }
  }
  pen.stroke();
}
