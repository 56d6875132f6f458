// Does what can wait when the browser is idle, newest first. In a flood it never is, and the oldest is given up.

const LIMIT = 1_000;
const SLICE = 5; // milliseconds

const whenIdle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
const jobs = [];
let isAsked = false;

export function later(job) {
  jobs.push(job);
  if (jobs.length > LIMIT) jobs.shift();
  ask();
}

function ask() {
  if (isAsked) return;
  isAsked = true;
  whenIdle(work);
}

function work() {
  isAsked = false;
  const end = performance.now() + SLICE;
  while (jobs.length && performance.now() < end) jobs.pop()();
  if (jobs.length) ask();
}
