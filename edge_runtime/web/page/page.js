"use strict";

// Shows pictures one after another, each asked for when the one before is there, and events as they come. One that
// does not come is asked for again when the status tells of another: the browser's connections are few.

const MOST_EVENTS = 100;
const RETRY_MS = 2000;

const pictures = document.getElementById("pictures");
const events = document.getElementById("events");
const state = document.getElementById("state");
const figures = [];
const latest = [];
const known = new Set();

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

function statusTold() {
  return new Promise((resolve) => stream.addEventListener("status", resolve, { once: true }));
}

function setState(kind, text) {
  state.dataset.state = kind;
  state.textContent = text;
}

async function nextPicture(index, after) {
  const answer = await fetch(`picture.jpg?source=${index}&after=${after}`);
  if (answer.status === 401) location.assign("login");
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(answer.statusText);
  return { number: Number(answer.headers.get("X-Picture")), url: URL.createObjectURL(await answer.blob()) };
}

async function keepShowing(index, image) {
  let after = 0;
  for (;;) {
    await visible();
    try {
      const picture = await nextPicture(index, after);
      if (picture === null) {
        while (latest[index] === after) await statusTold();
        continue;
      }
      after = picture.number;
      const before = image.src;
      image.src = picture.url;
      await image.decode();
      URL.revokeObjectURL(before);
    } catch {
      await pause(RETRY_MS);
    }
  }
}

function makeFigure(index) {
  const figure = document.createElement("figure");
  const image = document.createElement("img");
  const caption = document.createElement("figcaption");
  caption.append(element("span", "source", ""), element("span", "numbers", ""));
  figure.append(image, caption);
  if (index === 0) pictures.replaceChildren();
  pictures.append(figure);
  keepShowing(index, image);
  return figure;
}

function percent(score) {
  return `${(100 * score).toFixed(0)} %`;
}

function numbers(source) {
  if (source.lost) return "lost";
  if (source.dark) return "black frames";
  // A source that is back has no answer until its first frame has one.
  return source.model_sha256 ? `${source.fps.toFixed(1)} frames/s, ${source.answer_ms.toFixed(1)} ms` : "";
}

function showSource(source, index) {
  latest[index] = source.picture;
  figures[index] ??= makeFigure(index);
  const figure = figures[index];
  const answers = source.answers.map((answer) => `${answer.label} ${percent(answer.score)}`).join(", ");
  figure.dataset.lost = source.lost;
  figure.querySelector("img").alt = answers || "nothing recognised";
  figure.querySelector(".source").textContent = source.name;
  figure.querySelector(".numbers").textContent = numbers(source);
}

function deliveryLine(delivery) {
  const parts = [`${delivery.target}: ${delivery.waiting} waiting`];
  if (delivery.dropped) parts.push(`${delivery.dropped} dropped`);
  if (delivery.failing) parts.push("not reached");
  return element("li", delivery.failing || delivery.dropped ? "failing" : "", parts.join(", "));
}

function showStatus(status) {
  setState(status.status === "ok" ? "ok" : "bad", status.status);
  status.sources.forEach(showSource);
  document.getElementById("deliveries").replaceChildren(...status.deliveries.map(deliveryLine));
  const answered = status.sources.find((source) => source.model_sha256);
  const model = answered ? `, model ${answered.model_sha256.slice(0, 12)}` : "";
  document.getElementById("run").textContent = `running for ${duration(status.uptime_s)}${model}`;
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h`;
}

function clock(timestamp) {
  return new Date(1000 * timestamp).toLocaleTimeString([], { hourCycle: "h23" });
}

function eventLine(event) {
  const line = element("li", `${event.type} ${event.kind}`, "");
  line.append(element("time", "", clock(event.timestamp)));
  if (event.type === "scan") {
    line.append(element("span", "kind", event.kind), element("span", "what", event.label));
    line.append(element("span", "score", percent(event.score)));
    if (figures.length > 1) line.append(element("span", "from", event.source));
  } else {
    line.append(element("span", "what", event.message));
  }
  return line;
}

function showEvent(event) {
  if (known.has(event.id)) return;
  if (known.size === 0) events.replaceChildren();
  known.add(event.id);
  if (known.size > MOST_EVENTS) known.delete(known.values().next().value);
  events.prepend(eventLine(event));
  if (events.children.length > MOST_EVENTS) events.lastElementChild.remove();
}

const stream = new EventSource("events");
stream.addEventListener("status", (message) => showStatus(JSON.parse(message.data)));
stream.addEventListener("garment-event", (message) => showEvent(JSON.parse(message.data)));
stream.addEventListener("error", () => {
  setState("bad", "connection lost");
  // A browser gives up on a server that answers with an error.
  if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), RETRY_MS);
});
