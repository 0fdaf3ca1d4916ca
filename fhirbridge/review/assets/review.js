// Decisions by mouse or keyboard; each is sent at once and shown at once. Works on one table, needs no library.
"use strict";
const table = document.getElementById("facts");
const told = document.getElementById("told");
const reviewer = document.getElementById("reviewer");

function fitBoxes() {
  const photo = document.getElementById("photo");
  const boxes = document.getElementById("boxes");
  if (photo && boxes) {
    const fit = () => boxes.setAttribute("viewBox", `0 0 ${photo.naturalWidth} ${photo.naturalHeight}`);
    photo.complete ? fit() : photo.addEventListener("load", fit);
  }
}

function pointTo(id) {
  document.querySelectorAll(".here").forEach((e) => e.classList.remove("here"));
  document.querySelectorAll("[data-fact]").forEach((e) => {
    if (e.dataset.fact.split(" ").includes(id)) {
      e.classList.add("here");
      e.scrollIntoView({ block: "nearest" });
    }
  });
}

async function decide(row, verdict) {
  if (!reviewer.value.trim()) {
    told.textContent = table.dataset.nameFirst;
    reviewer.focus();
    return;
  }
  const said = { verdict, reviewer: reviewer.value };
  if (verdict === "change") {
    const value = row.querySelector(".value").value;
    if (value) Object.assign(said, { value, unit: row.querySelector(".unit").value });
    said.status = row.querySelector(".status").value;
  }
  const answer = await fetch(`/documents/${table.dataset.document}/facts/${row.dataset.id}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said),
  });
  if (!answer.ok) {
    told.textContent = await answer.text();
    return;
  }
  const state = row.querySelector(".state");
  row.classList.remove("open", "accepted", "rejected", "changed");
  row.classList.add({ accept: "accepted", reject: "rejected", change: "changed" }[verdict]);
  state.textContent = state.dataset[verdict];
  told.textContent = `${row.querySelector(".name").textContent}: ${state.textContent}`;
  move(row, 1);
}

function move(row, step) {
  const rows = [...table.tBodies[0].rows];
  const next = rows[rows.indexOf(row) + step];
  if (next) next.focus();
}

if (table) {
  fitBoxes();
  table.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-verdict]");
    if (button) decide(button.closest("tr"), button.dataset.verdict);
  });
  table.addEventListener("focusin", (event) => {
    const row = event.target.closest("tbody tr");
    if (row) pointTo(row.dataset.id);
  });
  document.querySelectorAll("[data-fact]").forEach((e) => e.addEventListener("click", () => {
    const row = document.getElementById(`f-${e.dataset.fact.split(" ")[0]}`);
    if (row) row.focus();
  }));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const row = document.activeElement.closest("tbody tr") || null;
    const first = table.tBodies[0].rows[0];
    const keys = {
      j: () => (row ? move(row, 1) : first && first.focus()),
      k: () => row && move(row, -1),
      a: () => row && decide(row, "accept"),
      r: () => row && decide(row, "reject"),
      c: () => row && decide(row, "change"),
      s: () => document.getElementById("save").click(),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}

const drop = document.getElementById("drop");
if (drop) {
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    document.getElementById("files").files = event.dataTransfer.files;
    drop.requestSubmit();
  });
}
