/*
Copyright: Contributors to the spot.eventbridge collection
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
"use strict";

// Whatever a message holds is put into the page as text, never as markup: there is no innerHTML here.

document.documentElement.classList.add("js");

const SMALL = matchMedia("(max-width: 700px), (max-height: 420px)");
document.documentElement.dataset.view = SMALL.matches ? "list" : "matrix";

document.addEventListener("DOMContentLoaded", () => {
  const $ = (selector) => document.querySelector(selector);
  const matrix = $("#matrix");
  const panel = $("#panel");
  const rows = [...matrix.tBodies[0].rows];
  const columns = [...matrix.querySelectorAll("thead th[data-region]")];
  const regions = columns.map((column) => column.dataset.region);
  const rowOf = new Map(rows.map((row) => [row.dataset.host, row]));
  const sections = [...document.querySelectorAll(".list > section")];

  // --- What is known of an account -------------------------------------------------------------------------------------

  let book = null;

  function words() {
    book ??= JSON.parse($("#details").textContent);
    return book;
  }

  async function unpack(host) {
    const bytes = Uint8Array.from(atob(words().accounts[host]), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  // --- Building ----------------------------------------------------------------------------------------------------------

  /** An element with attributes and children; a child that is a string becomes text. Empty children are left out. */
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }

  const spaced = (word) => word.replaceAll("_", " ");
  const link = (host, region) => `#${encodeURIComponent(host)}${region ? `/${encodeURIComponent(region)}` : ""}`;

  function badge(status) {
    return make("span", { class: `badge ${status}` }, make("span", { "aria-hidden": "true" }, words().symbols[status]), ` ${status}`);
  }

  function findingItem(finding) {
    return make("li", {},
      make("span", { class: `outcome ${finding.outcome}`, role: "img", "aria-label": finding.outcome }, words().outcomes[finding.outcome]),
      make("div", {},
        make("code", { class: "check" }, finding.check),
        make("p", { class: "message" }, finding.message),
        finding.remedy && make("p", { class: "remedy message" }, make("b", {}, "Remedy: "), finding.remedy)));
  }

  function findingsPart(title, findings) {
    if (!findings.length) return null;
    const passed = findings.filter((finding) => finding.outcome === "pass");
    const others = findings.filter((finding) => finding.outcome !== "pass");
    const checks = `${passed.length} check${passed.length === 1 ? "" : "s"} passed`;
    return make("section", {},
      make("h3", {}, title),
      others.length ? make("ul", { class: "findings" }, others.map(findingItem)) : null,
      passed.length ? make("details", {}, make("summary", {}, checks), make("ul", { class: "findings" }, passed.map(findingItem))) : null);
  }

  const FIGURES = {
    matched: "matched", delivered: "delivered", retried: "retried", failed: "failed",
    dead_lettered: "dead-lettered", dead_letter_failed: "lost without a trace",
  };
  const WRONG = new Set(["failed", "dead_lettered", "dead_letter_failed"]);

  function figure([name, value]) {
    const known = value !== null && value !== undefined;
    const kind = known ? (WRONG.has(name) && value > 0 ? "wrong" : "known") : "none";
    return make("div", {}, make("dt", {}, FIGURES[name] ?? spaced(name)), make("dd", { class: kind }, known ? value.toLocaleString("en") : "no data"));
  }

  /** What was said is long: it has a row of its own, below. */
  function letterRows(letter) {
    const facts = [letter.time?.replace("T", " ").replace("Z", ""), letter.instance_id, letter.attempts, letter.error_code];
    return [
      make("tr", {}, facts.map((fact) => make("td", {}, String(fact ?? "not told")))),
      make("tr", {}, make("td", { colspan: String(facts.length) }, letter.error_message ?? "not told")),
    ];
  }

  function lettersPart(letters) {
    const shown = letters.messages ?? [];
    const number = letters.count ? `${letters.count} dead letter${letters.count === 1 ? "" : "s"}` : "No dead letters";
    const told = number + (shown.length && shown.length < letters.count ? `, the latest ${shown.length}:` : "");
    const unread = letters.count ? `${number}. They were not read: ${letters.note}` : `Dead letters were not read: ${letters.note}`;
    const heads = ["time (UTC)", "instance", "attempts", "error"].map((head) => make("th", { scope: "col" }, head));
    return [
      make("p", { class: "note message" }, letters.note ? unread : told),
      shown.length ? make("div", { class: "scroll" }, make("table", { class: "letters" }, make("thead", {}, make("tr", {}, heads)),
        make("tbody", {}, shown.map(letterRows)))) : null,
    ];
  }

  function evidencePart(evidence) {
    if (!evidence) return make("section", {}, make("h3", {}, "Deliveries"), make("p", { class: "note" }, "Not looked at."));
    const figures = Object.entries(evidence.metrics ?? {});
    const blank = figures.length && figures.every(([, value]) => value === null);
    return make("section", {},
      make("h3", {}, `Deliveries of the last ${evidence.window_hours} h`),
      figures.length ? make("dl", { class: "figures" }, figures.map(figure)) : null,
      evidence.note ? make("p", { class: "note message" }, `The figures were not read: ${evidence.note}`)
        : blank ? make("p", { class: "note" }, "No data proves nothing, neither good nor bad.") : null,
      evidence.dead_letters ? lettersPart(evidence.dead_letters) : null);
  }

  function shown(value) {
    if (value === null || value === "") return make("span", { class: "note" }, "none");
    return typeof value === "object" ? make("pre", {}, JSON.stringify(value, null, 2)) : make("span", { class: "id" }, String(value));
  }

  function resourceItem([name, resource]) {
    if (!resource) return make("p", {}, make("b", {}, spaced(name)), make("span", { class: "note" }, " \u2013 not there, or not read"));
    const state = resource.connection_state ?? resource.api_destination_state ?? resource.state ?? "";
    return make("details", {},
      make("summary", {}, make("b", {}, spaced(name)), " ", make("span", {}, [resource.name, state].filter(Boolean).join(" \u00b7 "))),
      make("table", {}, make("tbody", {}, Object.entries(resource)
        .map(([key, value]) => make("tr", {}, make("th", { scope: "row" }, spaced(key)), make("td", {}, shown(value)))))));
  }

  function resourcesPart(resources) {
    const entries = Object.entries(resources);
    return entries.length ? make("section", {}, make("h3", {}, "Resources"), entries.map(resourceItem)) : null;
  }

  function regionsPart(account) {
    const order = Object.keys(words().symbols);
    const sorted = Object.entries(account.regions).sort(([, one], [, other]) => order.indexOf(one.status) - order.indexOf(other.status));
    if (!sorted.length) return null;
    return make("section", {}, make("h3", {}, "Regions"), make("p", { class: "regions" }, sorted.map(([name, { status }]) =>
      make("a", { href: link(account.host, name), class: status, "aria-label": `${name}: ${status}` },
        make("span", { class: `sign ${status}` }, words().symbols[status]), name))));
  }

  /** What is behind a cell, to be pasted into a ticket. */
  function asText(account, name) {
    const region = account.regions[name];
    const lines = [[account.host, account.spot_account !== account.host && account.spot_account, account.aws_account && `AWS ${account.aws_account}`, name,
      region?.status].filter(Boolean).join(" \u00b7 ")];
    if (account.error) lines.push(account.error);
    for (const finding of [...(region?.findings ?? []), ...account.checks]) {
      if (finding.outcome === "pass") continue;
      lines.push(`${finding.outcome}: ${finding.check}: ${finding.message}`);
      if (finding.remedy) lines.push(`  -> ${finding.remedy}`);
    }
    return `${lines.join("\n")}\n`;
  }

  // --- The panel ---------------------------------------------------------------------------------------------------------

  let opener = null;
  let wanted = 0;

  function copyButton(text) {
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        // Some browsers keep the clipboard from files; the old way still works there.
        const area = make("textarea", {}, text);
        panel.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
        button.focus();
      }
      button.textContent = "Copied";
    });
    return button;
  }

  function fill(account, name) {
    const region = account.regions[name];
    const names = [account.spot_account !== account.host && account.spot_account, account.aws_account && `AWS ${account.aws_account}`];
    const close = make("button", { type: "button", "aria-label": "Close" }, "\u00d7");
    close.addEventListener("click", hide);
    const head = make("header", {},
      make("div", {},
        make("h2", { id: "panel-title", tabindex: "-1" }, name || account.host),
        make("p", {}, name ? make("a", { href: link(account.host) }, account.host) : "", name && names.some(Boolean) ? " \u00b7 " : "",
          names.filter(Boolean).join(" \u00b7 "))),
      copyButton(asText(account, name)), close);
    panel.replaceChildren(head, ...[
      region && make("p", { class: "lead" }, badge(region.status), words().meanings[region.status]),
      account.error && make("p", { class: "unverified" }, account.error),
      name && !region && !account.error ? make("p", {}, "This region was not verified.") : null,
      region && findingsPart("Findings", region.findings),
      findingsPart("For the whole account", name ? account.checks.filter(({ outcome }) => outcome !== "pass") : account.checks),
      region && evidencePart(region.evidence),
      region && resourcesPart(region.resources),
      name ? null : regionsPart(account),
    ].filter(Boolean));
    panel.scrollTop = 0;
  }

  function select(cell) {
    matrix.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
    cell?.setAttribute("aria-selected", "true");
  }

  async function show(host, name) {
    const turn = ++wanted;
    let account;
    try {
      account = await unpack(host);
    } catch {
      account = { host, checks: [], regions: {}, error: "This browser cannot unpack the details. The list and report.json have them." };
    }
    if (turn !== wanted) return;
    fill(account, name);
    const cell = cellAt(rowOf.get(host), name ? regions.indexOf(name) + 1 : 0);
    select(cell);
    focusable(cell);
    // Where the focus goes back to: what was clicked may have lost it, as the address has changed.
    const item = document.getElementById(`${host}/${name}`) ?? document.getElementById(host);
    opener = matrix.offsetParent ? cell : item.querySelector("a");
    if (!panel.open) {
      if (SMALL.matches) panel.showModal();
      else panel.show();
    }
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    $("#panel-title").focus({ preventScroll: true });
  }

  function hide() {
    wanted++;
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    if (panel.open) panel.close();
  }

  panel.addEventListener("close", () => {
    select(null);
    if (location.hash) hide();
    opener?.focus();
    opener = null;
  });

  /** The address says what is open, so that it can be sent to a colleague, and the browser's Back closes it. */
  function follow() {
    let parts;
    try {
      parts = location.hash.slice(1).split("/").map(decodeURIComponent);
    } catch {
      parts = [];
    }
    const [host, name = ""] = parts;
    if (rowOf.has(host) && (!name || regions.includes(name))) show(host, name);
    else if (panel.open) hide();
  }

  function open(cell) {
    const host = cell.parentElement.dataset.host;
    const name = cell.colSpan > 1 ? "" : regions[cell.cellIndex - 1] ?? "";
    const hash = link(host, name);
    if (location.hash === hash) follow();
    else location.hash = hash;
  }

  addEventListener("hashchange", follow);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open) {
      event.preventDefault();
      hide();
    }
  });

  // --- The grid: one stop for the Tab key, arrows inside ----------------------------------------------------------------

  let stop = null;
  let column = 1;

  function cellAt(row, index) {
    return row.cells[Math.min(index, row.cells.length - 1)];
  }

  function focusable(cell) {
    if (stop) stop.tabIndex = -1;
    stop = cell;
    stop.tabIndex = 0;
  }

  function move(row, index) {
    const cell = cellAt(row, index);
    focusable(cell);
    cell.focus();
  }

  matrix.setAttribute("role", "grid");
  for (const anchor of matrix.querySelectorAll("tbody th a")) anchor.tabIndex = -1;
  if (rows.length) focusable(cellAt(rows[0], 1));

  matrix.addEventListener("keydown", (event) => {
    const cell = event.target.closest("tbody td, tbody th");
    if (!cell || event.altKey || event.metaKey) return;
    const seen = rows.filter((row) => !row.hidden);
    const at = seen.indexOf(cell.parentElement);
    if (cell.parentElement.cells.length > 2 || cell.cellIndex === 0) column = cell.cellIndex;
    const last = regions.length;
    const step = (rowStep) => [Math.max(0, Math.min(seen.length - 1, at + rowStep)), column];
    const goals = {
      ArrowUp: () => step(-1),
      ArrowDown: () => step(1),
      PageUp: () => step(-10),
      PageDown: () => step(10),
      ArrowLeft: () => [at, Math.max(0, cell.cellIndex - 1)],
      ArrowRight: () => [at, Math.min(last, cell.cellIndex + 1)],
      Home: () => [event.ctrlKey ? 0 : at, 0],
      End: () => [event.ctrlKey ? seen.length - 1 : at, last],
    };
    if (event.key === "Enter" || event.key === " ") open(cell);
    else if (event.key in goals) {
      const [row, index] = goals[event.key]();
      column = index;
      move(seen[row], index);
    } else return;
    event.preventDefault();
  });

  matrix.addEventListener("click", (event) => {
    const cell = event.target.closest("tbody td, tbody th");
    if (!cell) return;
    event.preventDefault();
    focusable(cell);
    cell.focus({ preventScroll: true });
    open(cell);
  });

  let hot = null;

  function light(event) {
    const cell = event.target.closest("tbody td");
    hot?.classList.remove("hot");
    hot = cell && cell.colSpan === 1 ? columns[cell.cellIndex - 1] : null;
    hot?.classList.add("hot");
    if (cell && !cell.title) cell.title = cell.getAttribute("aria-label");
  }
  matrix.addEventListener("mouseover", light);
  matrix.addEventListener("focusin", light);

  // --- Filters -----------------------------------------------------------------------------------------------------------

  const chips = [...document.querySelectorAll(".chip")];
  const search = $("#search");
  const output = $("#shown");
  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

  function filter() {
    const kinds = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.show);
    // A region that works, with a remark, is `active noted`: it is shown for either.
    const fits = (classes) => !kinds.length || kinds.some((kind) => classes.contains(kind));
    const text = search.value.trim().toLowerCase();
    let accounts = 0;
    let cells = 0;
    rows.forEach((row, index) => {
      let found = 0;
      for (let at = 1; at < row.cells.length; at++) {
        const fit = fits(row.cells[at].classList);
        row.cells[at].classList.toggle("out", !fit);
        if (fit && !row.cells[at].classList.contains("none") && !row.cells[at].classList.contains("unverified")) found++;
        else if (fit && row.cells[at].classList.contains("unverified")) row.dataset.fits = "";
      }
      const fit = (!kinds.length || found > 0 || "fits" in row.dataset) && row.dataset.search.includes(text);
      delete row.dataset.fits;
      row.hidden = !fit;
      sections[index].hidden = !fit;
      if (!fit) return;
      accounts++;
      cells += found;
      for (const article of sections[index].querySelectorAll("article:not(.account)")) article.hidden = !fits(article.classList);
    });
    const all = accounts === rows.length && !kinds.length;
    output.textContent = `${count(accounts, "account")}${all ? "" : ` of ${rows.length.toLocaleString("en")}`}, ${count(cells, "region")}`;
    if (stop?.parentElement.hidden) {
      const first = rows.find((row) => !row.hidden);
      if (first) focusable(cellAt(first, 1));
    }
  }

  for (const chip of chips) chip.disabled = false;
  $(".chips").addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip) return;
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(filter, 120);
  });

  // --- Views -------------------------------------------------------------------------------------------------------------

  function view(name) {
    document.documentElement.dataset.view = name;
    for (const button of document.querySelectorAll("[data-view]:is(button)")) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  }
  $(".views").addEventListener("click", (event) => {
    if (event.target.dataset.view) view(event.target.dataset.view);
  });

  view(document.documentElement.dataset.view);
  filter();
  follow();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
});
