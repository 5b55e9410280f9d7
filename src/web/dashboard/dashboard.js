// What pages do beyond their forms and links, which work without it: fill in parts that take a while, stay live, and go on
// to the page that a link from elsewhere was meant for.
"use strict";

const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

// Parts that are read from a desk: the page is there before them.
async function fill(part) {
  try {
    const answer = await fetch(part.dataset.part, { headers: { accept: "text/html" } });
    const text = await answer.text();
    if (answer.ok && !answer.redirected) {
      part.replaceChildren(...parsed(text).body.childNodes);
    } else {
      part.firstElementChild.prepend(document.createTextNode(text.trim() + " "));
    }
  } catch {
    // The link in its place still leads there.
  }
}

// Whether somebody is typing, or has: what they wrote must not be taken away.
function busy() {
  const fields = [...document.querySelectorAll("#body textarea, #body input:not([type=hidden]), #body select")];
  const written = fields.some((field) => field.value !== (field.defaultValue ?? field.value));
  const at = document.activeElement;
  const acting = at.closest("#body") !== null && at.tagName !== "A";
  return written || acting || document.querySelector("#body details[open]") !== null;
}

async function renew() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) {
    return offer();
  }
  const fresh = parsed(await answer.text()).getElementById("body");
  const body = document.getElementById("body");
  if (fresh === null || busy() || fresh.innerHTML === body.dataset.was) {
    return;
  }
  body.dataset.was = fresh.innerHTML;
  const kept = document.activeElement?.getAttribute?.("href");
  const parts = new Map([...body.querySelectorAll("[data-once]")].map((part) => [part.dataset.part, part]));
  body.replaceChildren(...fresh.childNodes);
  for (const part of body.querySelectorAll("[data-part]")) {
    const old = parts.get(part.dataset.part);
    if (old) { part.replaceWith(old); } else { fill(part); }
  }
  if (kept) {
    [...body.querySelectorAll("a")].find((link) => link.getAttribute("href") === kept)?.focus();
  }
}

function offer() {
  const news = document.getElementById("news");
  if (news.childElementCount > 0) { return; }
  const button = document.createElement("button");
  button.textContent = "There is news: load the page again";
  button.addEventListener("click", () => location.reload());
  news.append(button);
}

function listen(address) {
  let asked = false;
  const news = () => {
    if (document.hidden || asked) { return; }
    if (busy()) { return offer(); }
    asked = true;
    renew().catch(() => {}).finally(() => { asked = false; });
  };
  const events = new EventSource(address);
  events.addEventListener("changed", news);
  // What changed between the page and the first word is not told: the page asks once by itself.
  events.addEventListener("open", () => { if (!busy()) { news(); } });
}

async function goOn({ session, next }) {
  const answer = await fetch(session);
  if (answer.ok && (await answer.json()).logged_in) {
    location.replace(next);
  }
}

document.querySelectorAll("[data-part]").forEach(fill);
if (document.body.dataset.live) { listen(document.body.dataset.live); }
if (document.body.dataset.session) { goOn(document.body.dataset).catch(() => {}); }
