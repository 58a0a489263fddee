"use strict";

// What an answer may have for the page to show it all.
const most = 200000;

// request gives what a form asks: a URL and the options of fetch.
function request(form) {
  const { base, path, method } = form.dataset;
  const values = new URLSearchParams();
  const variables = new Map();
  for (const field of form.querySelectorAll("[data-param]")) {
    const name = field.dataset.param;
    let given = [field.value];
    if (field.dataset.array) {
      given = field.value.split("\n").map((v) => v.replace(/\r$/, "")).filter((v) => v !== "");
    } else if (field.value === "" && !field.dataset.required) {
      given = [];
    }
    if (path.includes("{" + name + "}")) {
      variables.set(name, given[0] ?? "");
    } else {
      for (const v of given) values.append(name, v);
    }
  }
  const fill = (part) => part.replace(/\{([^{}]*)\}/g, (whole, name) => variables.get(name) ?? whole);
  let url = base + path.split("/").map((part) => encodeURIComponent(fill(part))).join("/");
  const options = { method, headers: { Accept: form.querySelector("[data-format]").value }, cache: "no-store" };
  if (method === "GET" || method === "HEAD" || method === "DELETE") {
    if (values.size > 0) url += "?" + values;
  } else {
    options.body = values;
  }
  return { url, options };
}

// pretty makes JSON readable; anything else stays as it is.
function pretty(text, media) {
  if (!media.startsWith("application/json") || text.length > most) return text;
  // Numbers are kept as they are written: parsing would round the long ones.
  let depth = 0, out = "", quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      out += c;
      if (c === "\\") out += text[++i] ?? "";
      else if (c === '"') quoted = false;
    } else if (c === '"') {
      quoted = true;
      out += c;
    } else if (c === "{" || c === "[") {
      const next = text[i + 1];
      if (next === "}" || next === "]") { out += c + next; i++; } else out += c + "\n" + "  ".repeat(++depth);
    } else if (c === "}" || c === "]") {
      out += "\n" + "  ".repeat(--depth) + c;
    } else if (c === ",") {
      out += c + "\n" + "  ".repeat(depth);
    } else if (c === ":") {
      out += ": ";
    } else {
      out += c;
    }
  }
  return out;
}

async function send(form) {
  const button = form.querySelector("button");
  const status = form.querySelector(".status");
  const answer = form.querySelector("pre");
  button.disabled = true;
  answer.hidden = true;
  status.className = "status";
  status.textContent = "…";
  try {
    const { url, options } = request(form);
    const began = performance.now();
    const response = await fetch(url, options);
    const text = await response.text();
    const took = Math.round(performance.now() - began);
    status.textContent = response.status + " " + response.statusText + ", " + took + " ms, " + text.length + " characters";
    status.classList.toggle("bad", !response.ok);
    const shown = pretty(text, response.headers.get("Content-Type") ?? "");
    answer.textContent = shown.length > most ? shown.slice(0, most) + "\n…" : shown;
    answer.hidden = text === "";
  } catch (error) {
    status.textContent = "No answer: " + error.message;
    status.classList.add("bad");
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-method]")) return;
  event.preventDefault();
  send(event.target);
});
