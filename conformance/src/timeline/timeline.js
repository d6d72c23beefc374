"use strict";
// A window of a trace: goroutines on threads, as a picture that can be zoomed, and its events, a column for each thread.
// The data stand in the page: spans [m, g, kind, from, to], rows [seq, t, m, words, mark] where mark 1 is a signal, 2 the event at fault.
for (const place of document.querySelectorAll("[data-timeline]")) timeline(place);

function timeline(place) {
  const data = JSON.parse(document.getElementById(place.dataset.timeline).textContent);
  const make = (tag, to, says = {}) => {
    const { text, ...rest } = says, made = Object.assign(document.createElement(tag), rest);
    if (text !== undefined) made.textContent = text;
    to.append(made);
    return made;
  };
  const times = data.rows.map((row) => row[1]).concat(data.spans.flatMap((span) => [span[3], span[4]]));
  const first = times.reduce((a, b) => Math.min(a, b), Infinity), last = times.reduce((a, b) => Math.max(a, b), first + 1);
  const marked = data.rows.findIndex((row) => row[4] === 2);
  let at = marked < 0 ? 0 : marked, from = first, to = last;

  const box = make("div", place, { className: "timeline" }), tools = make("div", box, { className: "tools" });
  const canvas = make("canvas", box, { tabIndex: 0 }), says = make("p", box, { className: "says" });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Goroutines on threads over time. Plus and minus zoom, left and right move, up and down step through the events, 0 shows all.");
  const LEFT = 62, TOP = 22, LANE = 30, GAP = 6;
  const height = TOP + data.ms.length * (LANE + GAP) + 8;
  canvas.style.height = height + "px";

  const button = (text, act) => { make("button", tools, { type: "button", text }).onclick = () => { act(); draw(); }; };
  button("Zoom in", () => zoom(0.5));
  button("Zoom out", () => zoom(2));
  button("All", () => { from = first; to = last; });
  if (marked >= 0) button("Event at fault", () => { step(marked - at); from = data.rows[at][1] - (last - first) / 12; to = data.rows[at][1] + (last - first) / 24; });
  make("span", tools, { text: "wheel or + and − zoom, drag or ← and → move, ↑ and ↓ step through the events" });

  const width = () => canvas.clientWidth - LEFT - 8;
  const x = (t) => LEFT + (t - from) / (to - from) * width();
  const time = (ns) => ns < 1e3 ? `${ns.toFixed(0)} ns` : ns < 1e6 ? `${(ns / 1e3).toFixed(ns < 1e4 ? 2 : 1)} µs` : `${(ns / 1e6).toFixed(ns < 1e7 ? 3 : 2)} ms`;

  function zoom(by, around = (from + to) / 2) {
    const span = Math.min(Math.max((to - from) * by, 20), (last - first) * 1.1);
    const part = (around - from) / (to - from);
    from = around - part * span;
    to = from + span;
  }
  function step(by) {
    at = Math.min(Math.max(at + by, 0), data.rows.length - 1);
    const t = data.rows[at][1];
    if (t < from || t > to) { const half = (to - from) / 2; from = t - half; to = t + half; }
    rows();
  }

  function draw() {
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue("--" + name).trim();
    const scale = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "11.5px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const right = LEFT + width(), lane = (m) => TOP + data.ms.indexOf(m) * (LANE + GAP);
    // A tick about every 110 pixels, at a round time.
    const rough = (to - from) / Math.max(width() / 110, 1), power = 10 ** Math.floor(Math.log10(rough));
    const tick = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    pen.fillStyle = colour("soft");
    pen.strokeStyle = colour("line");
    for (let t = Math.ceil((from - first) / tick) * tick; t <= to - first; t += tick) {
      const at = x(first + t);
      pen.beginPath(); pen.moveTo(at, TOP - 4); pen.lineTo(at, height - 4); pen.stroke();
      pen.textAlign = "center";
      pen.fillText(time(t), at, 9);
    }
    for (const m of data.ms) {
      pen.textAlign = "right";
      pen.fillStyle = colour("soft");
      pen.fillText(m < 0 ? "outside" : "M" + m, LEFT - 10, lane(m) + LANE / 2);
      pen.fillStyle = colour("well");
      pen.fillRect(LEFT, lane(m), width(), LANE);
    }
    pen.save();
    pen.beginPath(); pen.rect(LEFT, 0, width(), height); pen.clip();
    const dark = style.colorScheme === "dark" || (document.documentElement.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    for (const [m, g, kind, begin, end] of data.spans) {
      if (end < from || begin > to) continue;
      const a = Math.max(x(begin), LEFT - 4), b = Math.min(x(end), right + 4), wide = Math.max(b - a, 1);
      // Neighbours in number get colours far apart.
      const hue = (g * 137.508) % 360;
      pen.fillStyle = `hsl(${hue} ${kind ? 14 : 46}% ${dark ? (kind ? 34 : 46) : (kind ? 82 : 72)}%)`;
      pen.fillRect(a, lane(m), wide, LANE);
      if (wide > 26) {
        pen.textAlign = "left";
        pen.fillStyle = dark ? "#fff" : "#1d2025";
        pen.fillText(`G${g}${kind && wide > 80 ? " system call" : ""}`, a + 5, lane(m) + LANE / 2, wide - 8);
      }
    }
    data.rows.forEach(([, t, m, , mark], i) => {
      if (t < from || t > to || !data.ms.includes(m)) return;
      const big = mark === 2, here = i === at;
      pen.fillStyle = big ? colour("bad") : mark === 1 ? colour("other") : colour("soft");
      if (!big && !here && mark !== 1) { pen.fillRect(x(t) - 0.5, lane(m) + LANE - 5, 1, 5); return; }
      pen.beginPath(); pen.arc(x(t), lane(m) + LANE - 6, big ? 5 : 3, 0, 7); pen.fill();
      if (here) { pen.strokeStyle = colour("ink"); pen.beginPath(); pen.moveTo(x(t), TOP - 4); pen.lineTo(x(t), height - 4); pen.stroke(); }
    });
    pen.restore();
    const row = data.rows[at];
    says.textContent = row ? `${row[0]} · ${time(row[1] - first)} · ${row[2] < 0 ? "outside" : "M" + row[2]}: ${row[3]}` : "no events";
  }

  // As many rows as one may want to read; the picture leads to others.
  const AROUND = 200, lanes = make("div", place, { className: "lanes" });
  let table, shown = [0, 0];
  lanes.tabIndex = 0;
  function rows() {
    if (!table || at < shown[0] || at >= shown[1]) {
      shown = [Math.max(at - AROUND, 0), Math.min(at + AROUND, data.rows.length)];
      lanes.textContent = "";
      table = make("table", lanes);
      const head = make("tr", make("thead", table));
      make("th", head, { text: "event" });
      make("th", head, { text: "time" });
      for (const m of data.ms) make("th", head, { text: m < 0 ? "outside" : "M" + m });
      const body = make("tbody", table);
      for (let i = shown[0]; i < shown[1]; i++) {
        const [seq, t, m, words, mark] = data.rows[i];
        const line = make("tr", body, { className: mark === 2 ? "at" : mark === 1 ? "signal" : "" });
        make("td", line, { className: "n", text: seq });
        make("td", line, { className: "n", text: time(t - first) });
        for (const lane of data.ms) make("td", line, lane === m ? { text: words, title: words } : {});
        line.onclick = () => { step(i - at); draw(); };
      }
    }
    for (const line of table.querySelectorAll(".here")) line.classList.remove("here");
    const line = table.tBodies[0].rows[at - shown[0]];
    if (!line) return;
    line.classList.add("here");
    const cell = line.cells[2 + data.ms.indexOf(data.rows[at][2])];
    lanes.scrollLeft = cell.offsetLeft - lanes.clientWidth / 2;
    lanes.scrollTop = line.offsetTop - lanes.clientHeight / 2;
  }

  canvas.onkeydown = (event) => {
    const move = (part) => { const by = (to - from) * part; from += by; to += by; };
    const act = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => { from = first; to = last; },
      ArrowLeft: () => move(-0.15), ArrowRight: () => move(0.15), ArrowUp: () => step(-1), ArrowDown: () => step(1) }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
    draw();
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const t = from + (event.offsetX - LEFT) / width() * (to - from);
    zoom(event.deltaY > 0 ? 1.25 : 0.8, t);
    draw();
  }, { passive: false });
  let drag = null;
  canvas.onpointerdown = (event) => { drag = { x: event.offsetX, from, to, moved: false }; canvas.setPointerCapture(event.pointerId); };
  canvas.onpointermove = (event) => {
    if (!drag) return;
    const by = (drag.x - event.offsetX) / width() * (drag.to - drag.from);
    drag.moved ||= Math.abs(drag.x - event.offsetX) > 3;
    from = drag.from + by;
    to = drag.to + by;
    draw();
  };
  canvas.onpointerup = (event) => {
    if (drag && !drag.moved) {
      const m = data.ms[Math.floor((event.offsetY - TOP) / (LANE + GAP))], t = from + (event.offsetX - LEFT) / width() * (to - from);
      let best = -1;
      data.rows.forEach((row, i) => { if (row[2] === m && (best < 0 || Math.abs(row[1] - t) < Math.abs(data.rows[best][1] - t))) best = i; });
      if (best >= 0) step(best - at);
    }
    drag = null;
    draw();
  };
  addEventListener("theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  // Hidden places have no width: they are drawn when they are opened.
  new ResizeObserver(() => { if (canvas.clientWidth > LEFT) { draw(); rows(); } }).observe(canvas);
}
