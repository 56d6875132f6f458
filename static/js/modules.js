// The modules that no first message needs. They come when they are asked for, and all of them when the browser
// is idle: what they do must not depend on a server that is still there.

const WAYS = {
  binary: () => import("./binary.js"),
  commands: () => import("./commands.js"),
  exporter: () => import("./exporter.js"),
  lanes: () => import("./lanes.js"),
  past: () => import("./past.js"),
  tree: () => import("./tree.js"),
};
const TIMEOUT = 5_000; // milliseconds, in which even a busy browser loads them

const asked = {};
const arrivals = {};

// Throws an Error without words where the server did not answer; the next call tries again.
export function load(name) {
  asked[name] ??= cache(name).then(WAYS[name]).catch(() => {
    delete asked[name];
    throw new Error("");
  });
  return asked[name];
}

// Asks for it and waits, however long that takes. Event of the document: "unloaded", when it does not come now.
export function arrival(name) {
  arrivals[name] ??= Promise.withResolvers();
  load(name).then(arrivals[name].resolve, () => document.dispatchEvent(new Event("unloaded")));
  return arrivals[name].promise;
}

// What is not there yet, and a worker's script; in silence.
export function loadAll() {
  const missing = Object.keys(WAYS).filter((name) => !asked[name]);
  if (!missing.length) return;
  const work = () => {
    missing.forEach((name) => load(name).then((module) => arrivals[name]?.resolve(module), () => {}));
    cache("searcher").catch(() => {});
  };
  const whenIdle = globalThis.requestIdleCallback ?? setTimeout;
  whenIdle(work, { timeout: TIMEOUT });
}

// An import that failed may be remembered by the browser, for as long as the page: a request is not.
async function cache(name) {
  const answer = await fetch(new URL(`./${name}.js`, import.meta.url));
  if (!answer.ok) throw new Error("");
  await answer.text();
}
