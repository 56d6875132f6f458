// Runs jobs that can wait when the browser is idle and no flood runs, newest first; the oldest of too many is dropped.

import { ticks } from "./clock.js";

const LIMIT = 1_000;
const SLICE = 5; // milliseconds
const FLOOD = 50; // jobs within a
const REST = 100; // milliseconds

const whenIdle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
/** @type {(() => void)[]} */
const jobs = [];
let isAsked = false;
let asked = 0;

/** @type {(job: () => void) => void} */
export function later(job) {
  asked++;
  jobs.push(job);
  if (jobs.length > LIMIT) jobs.shift();
  ask();
}

function ask() {
  if (isAsked) return;
  isAsked = true;
  whenIdle(work);
}

/** @type {() => void} */
function work() {
  if (asked > FLOOD) return void setTimeout(work, REST, (asked = 0));
  isAsked = false;
  asked = 0;
  const end = ticks() + SLICE;
  for (let job; ticks() < end && (job = jobs.pop()); ) run(job);
  if (jobs.length) ask();
}

// A job that fails must not stop the others.
/** @type {(job: () => void) => void} */
function run(job) {
  try {
    job();
  } catch (error) {
    reportError(error);
  }
}
