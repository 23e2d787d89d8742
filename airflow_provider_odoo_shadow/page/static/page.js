// Follows the colours that people chose in Airflow, leads out of the frame in which Airflow shows the page, and asks
// Airflow's REST API for a run. Everything else works without scripts.
"use strict";

const root = document.documentElement;

function followColours() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Without storage the browser's own choice counts.
  }
  if (chosen === "light" || chosen === "dark") {
    root.dataset.theme = chosen;
  } else {
    delete root.dataset.theme;
  }
}

followColours();
addEventListener("storage", followColours);

// Airflow's frame may not navigate the window around it, but a link in that window may.
function leave(href, inNewTab) {
  const outer = window.top.document;
  const link = outer.createElement("a");
  link.href = new URL(href, location.href).href;
  if (inNewTab) {
    link.target = "_blank";
    link.rel = "noopener";
  }
  outer.body.append(link);
  link.click();
  link.remove();
}

function isFramedByAirflow() {
  try {
    return window.top !== window && window.top.location.origin === location.origin;
  } catch {
    return false;
  }
}

function go(href, inNewTab) {
  if (isFramedByAirflow()) {
    leave(href, inNewTab);
  } else {
    location.assign(href);
  }
}

function followLink(event) {
  const link = event.target.closest('a[target="_top"]');
  if (link && event.button < 2 && isFramedByAirflow()) {
    event.preventDefault();
    leave(link.href, event.button === 1 || event.ctrlKey || event.metaKey);
  }
}

addEventListener("click", followLink);
addEventListener("auxclick", followLink);

async function startRun(form, button, refused) {
  button.disabled = true;
  refused.textContent = "";
  try {
    const answer = await fetch(form.dataset.trigger, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ logical_date: null, conf: JSON.parse(form.dataset.configuration) }),
    });
    const said = await answer.json();
    if (answer.ok) {
      go(form.dataset.run + encodeURIComponent(said.dag_run_id), false);
      return;
    }
    const detail = typeof said.detail === "string" ? said.detail : JSON.stringify(said.detail);
    refused.textContent = `Airflow refused the run (${answer.status}): ${detail}`;
  } catch {
    refused.textContent = "Airflow has not answered: reload the page and try again.";
  }
  button.disabled = false;
}

addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("start");
  if (form) {
    const button = form.querySelector("button");
    button.disabled = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      startRun(form, button, document.getElementById("refused"));
    });
  }
});
