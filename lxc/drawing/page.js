"use strict";
// Places are those of places.py: rows keep their order, and what opens pushes the rest aside.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const { gap, rowGap, margin, straight } = data.spaces;
  const open = new Set(data.open);
  const cameras = {};
  let current = 0;

  function spread(row, wanted, widths, x) {
    const offsets = [0];
    for (let i = 1; i < row.length; i++) {
      offsets.push(offsets[i - 1] + (widths[row[i - 1]] + widths[row[i]]) / 2 + gap);
    }
    const blocks = [];
    row.forEach((item, i) => {
      let total = wanted[item] - offsets[i], count = 1;
      while (blocks.length) {
        const [sum, more] = blocks[blocks.length - 1];
        if (sum / more <= total / count) break;
        blocks.pop();
        total += sum; count += more;
      }
      blocks.push([total, count]);
    });
    let at = 0;
    for (const [total, count] of blocks) {
      for (let i = 0; i < count; i++, at++) x[row[at]] = total / count + offsets[at];
    }
  }

  function place(id) {
    const sheet = data.layouts[id];
    const widths = sheet.widths.slice(), heights = sheet.heights.slice(), inner = {};
    for (const box of sheet.bodies) {
      const name = `${id}-${box}`;
      if (!open.has(name)) continue;
      inner[box] = place(name);
      widths[box] = Math.max(widths[box], inner[box].width);
      heights[box] += inner[box].height;
    }
    const x = sheet.wanted.slice(), rows = [];
    let y = margin;
    for (const row of sheet.rows) {
      spread(row, sheet.wanted, widths, x);
      const height = Math.max(...row.map((item) => heights[item]));
      rows.push([y, y + height]);
      y += height + rowGap;
    }
    let left = Infinity, right = -Infinity;
    x.forEach((at, i) => {
      const half = Math.max(widths[i] / 2, sheet.texts[i]);
      left = Math.min(left, at - half);
      right = Math.max(right, at + half);
    });
    if (!x.length) left = right = 0;
    const placed = x.map((at) => at - left + margin);
    return { id, widths, heights, x: placed, rows, inner,
      width: right - left + 2 * margin, height: Math.max(y - rowGap + margin, 2 * margin) };
  }

  function draw(group, placed) {
    const sheet = data.layouts[placed.id], tops = [], rowOf = [];
    sheet.rows.forEach((row, at) => row.forEach((item) => {
      rowOf[item] = at;
      const [upper, lower] = placed.rows[at];
      tops[item] = (upper + lower - placed.heights[item]) / 2;
    }));
    const starts = sheet.chains.map((chain, edge) => {
      const first = chain[0], last = chain[chain.length - 1];
      const [leaves, reaches] = sheet.ports[edge];
      const begin = placed.x[first] + leaves * placed.widths[first];
      const end = placed.x[last] + reaches * placed.widths[last];
      const points = [[begin, tops[first] + placed.heights[first]],
        [begin, placed.rows[rowOf[first]][1]]];
      for (const item of chain.slice(1, -1)) {
        const [upper, lower] = placed.rows[rowOf[item]];
        points.push([placed.x[item], upper], [placed.x[item], lower]);
      }
      points.push([end, placed.rows[rowOf[last]][0]], [end, tops[last]]);
      return points;
    });
    for (const part of group.children) {
      const edge = part.dataset.edge;
      if (edge === undefined) continue;
      const [x, y] = starts[edge][1];
      if (part.tagName === "path") part.setAttribute("d", curve(starts[edge]));
      else { part.setAttribute("x", x + 6); part.setAttribute("y", y + 15); }
    }
    for (let box = 0; box < sheet.boxes; box++) {
      const part = by(`${placed.id}-${box}`), width = placed.widths[box];
      part.setAttribute("transform", `translate(${placed.x[box] - width / 2} ${tops[box]})`);
      if (!sheet.bodies.includes(box)) continue;
      const body = placed.inner[box];
      part.classList.toggle("open", Boolean(body));
      for (const inside of part.children) {
        if (inside.matches(".card, .heat")) {
          inside.setAttribute("width", width);
          inside.setAttribute("height", placed.heights[box]);
        } else if (inside.matches(".toggle")) {
          inside.setAttribute("x", width - 11);
          inside.textContent = body ? "−" : "+";
        } else if (inside.matches(".share")) inside.setAttribute("x", width - 31);
        else if (inside.matches(".inside") && body) {
          const left = (width - body.width) / 2;
          inside.setAttribute("transform", `translate(${left} ${sheet.heights[box]})`);
          draw(inside, body);
        }
      }
    }
  }

  function curve(points) {
    let x = points[0][0], y = points[1][1] + straight;
    let path = `M${x} ${points[0][1]}V${y}`;
    points.slice(2).forEach(([toX, toY], bent) => {
      const half = (y + toY) / 2;
      path += bent % 2 ? `L${toX} ${toY}` : `C${x} ${half} ${toX} ${half} ${toX} ${toY}`;
      x = toX; y = toY;
    });
    return path;
  }

  const texts = {};
  const text = (id) => texts[id] ??= [data.boxes[id].title, ...data.boxes[id].facts.flat()]
    .join("\n").toLowerCase();

  const root = () => by(`v${current}`);
  const camera = () => cameras[current];
  const stage = by("stage");

  function arrange() {
    const placed = place(`v${current}`);
    draw(root(), placed);
    return placed;
  }

  function look() {
    const { x, y, zoom } = camera();
    root().setAttribute("transform", `translate(${x} ${y}) scale(${zoom})`);
  }

  function fit(placed, whole) {
    const wide = stage.clientWidth, high = stage.clientHeight;
    const all = Math.min(wide / placed.width, high / placed.height);
    const legible = Math.max(0.45, Math.min(0.75, wide / placed.width));
    const zoom = Math.min(1.1, whole ? all : Math.max(all, legible));
    const y = Math.max(0, (high - placed.height * zoom) / 2);
    // What is too wide shows its first input.
    const fits = placed.width * zoom <= wide || !placed.x.length;
    const middle = fits ? placed.width / 2 : placed.x[0];
    cameras[current] = { x: wide / 2 - middle * zoom, y, zoom };
    look();
  }

  function zoomAt(factor, x, y) {
    const one = camera(), zoom = Math.min(4, Math.max(0.02, one.zoom * factor));
    one.x = x - ((x - one.x) * zoom) / one.zoom;
    one.y = y - ((y - one.y) * zoom) / one.zoom;
    one.zoom = zoom;
    look();
  }

  function show(view) {
    current = view;
    data.views.forEach((_, at) => {
      by(`s${at}`).toggleAttribute("hidden", at !== view);
      by(`t${at}`).setAttribute("aria-selected", String(at === view));
    });
    by("note").textContent = data.views[view].note;
    by("warm").hidden = !data.views[view].heat;
    const placed = arrange();
    if (camera()) look(); else fit(placed, false);
    find(false);
  }

  function facts(id) {
    document.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
    by("name").textContent = "";
    by("facts").replaceChildren();
    if (!id) return;
    by(id).classList.add("chosen");
    by("name").textContent = data.boxes[id].title;
    for (const [name, text] of data.boxes[id].facts) {
      const term = document.createElement("dt"), said = document.createElement("dd");
      term.textContent = name; said.textContent = text;
      by("facts").append(term, said);
    }
  }

  function toggle(id) {
    const box = by(id), before = box.getBoundingClientRect();
    if (open.has(id)) open.delete(id); else open.add(id);
    arrange();
    const after = box.getBoundingClientRect();
    camera().x += before.left + before.width / 2 - after.left - after.width / 2;
    camera().y += before.top - after.top;
    look();
  }

  let hits = [], hit = -1;

  function find(go) {
    const words = by("search").value.trim().toLowerCase();
    document.querySelectorAll(".match").forEach((one) => one.classList.remove("match"));
    document.body.classList.toggle("searched", Boolean(words));
    const inView = Object.keys(data.boxes).filter((id) => id.startsWith(`v${current}-`));
    hits = words ? inView.filter((id) => text(id).includes(words)) : [];
    hits.forEach((id) => by(id).classList.add("match"));
    hit = go && hits.length ? (hit + 1) % hits.length : -1;
    const place = hit < 0 ? `${hits.length}` : `${hit + 1} of ${hits.length}`;
    by("found").textContent = words ? place : "";
    if (hit >= 0) goTo(hits[hit]);
  }

  function goTo(id) {
    const parts = id.split("-");
    for (let most = 2; most < parts.length; most++) open.add(parts.slice(0, most).join("-"));
    arrange();
    if (camera().zoom < 0.6) zoomAt(0.8 / camera().zoom, 0, 0);
    const at = by(id).querySelector(".card").getBoundingClientRect();
    const whole = stage.getBoundingClientRect();
    camera().x += whole.left + whole.width / 2 - (at.left + at.width / 2);
    camera().y += whole.top + whole.height / 3 - at.top;
    look();
    facts(id);
  }

  let grip = null;
  stage.addEventListener("pointerdown", (event) => {
    grip = { x: event.clientX, y: event.clientY, moved: false, target: event.target };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const x = event.clientX - grip.x, y = event.clientY - grip.y;
    if (!grip.moved && Math.hypot(x, y) < 4) return;
    grip = { ...grip, x: event.clientX, y: event.clientY, moved: true };
    stage.classList.add("dragged");
    camera().x += x; camera().y += y;
    look();
  });
  stage.addEventListener("pointerup", () => {
    stage.classList.remove("dragged");
    if (grip && !grip.moved) {
      const box = grip.target.closest(".box");
      if (box && grip.target.matches(".toggle")) toggle(box.id);
      facts(box ? box.id : null);
    }
    grip = null;
  });
  stage.addEventListener("dblclick", (event) => {
    const box = document.elementFromPoint(event.clientX, event.clientY).closest(".box");
    if (box && box.querySelector(":scope > .toggle")) toggle(box.id);
  });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = stage.getBoundingClientRect();
    const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015));
    zoomAt(factor, event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });

  const centre = (factor) => () =>
    zoomAt(factor, stage.clientWidth / 2, stage.clientHeight / 2);
  by("in").addEventListener("click", centre(1.25));
  by("out").addEventListener("click", centre(0.8));
  by("fit").addEventListener("click", () => fit(arrange(), true));
  by("open").addEventListener("click", () => {
    Object.keys(data.layouts).filter((id) => id.startsWith(`v${current}-`))
      .forEach((id) => open.add(id));
    fit(arrange(), false);
  });
  by("close").addEventListener("click", () => {
    [...open].filter((id) => id.startsWith(`v${current}-`)).forEach((id) => open.delete(id));
    fit(arrange(), false);
  });
  by("heat").addEventListener("change", (event) =>
    document.body.classList.toggle("cold", !event.target.checked));
  by("search").addEventListener("input", () => find(false));
  by("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") find(true);
  });
  data.views.forEach((_, at) => by(`t${at}`).addEventListener("click", () => show(at)));
  show(data.first);
  const link = new URLSearchParams(location.hash.slice(1));
  if (link.has("find")) {
    by("search").value = link.get("find");
    find(true);
  }
})();
