// The speed of the page's filter: reads { folder, filters } from stdin; writes for each filter how many times
// as long it takes for as many messages as the page keeps as to parse them, in processor time, the fastest of several
// runs; and last the same of the help's sample.

import { text } from "node:stream/consumers";

const { folder, filters } = JSON.parse(await text(process.stdin));
const load = (path) => import(`${folder}/static/js/${path}.js`);
const { readFilter } = await load("feed/filter_query");
const { MessageStore } = await load("feed/message_store");
const { SeenFields } = await load("filter/seen_fields");
const TIMES = 5;

const levels = ["error", "info", "warning"];
const object = (n) => ({
  user: { name: `u${n}` }, severity: levels[n % 3], message: "text of about a hundred characters", ms: n % 1_000,
  tags: ["a", "b"], items: [{ sku: `s${n % 7}` }],
});
const events = Array.from({ length: 10_000 }, (_, n) => ({
  type: "message", channel: "quick", patterns: [],
  data: n % 4 ? JSON.stringify(object(n)) : `INFO ${n} cache miss level=info ms=${n} não`,
}));
const store = new MessageStore();
store.add(events);

const took = (work) => {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return user + system;
};
const parse = () => events.forEach(({ data }) => data.startsWith("{") && JSON.parse(data));
// In turn: what slows the machine for a while slows both.
const quickest = (work) => {
  const runs = Array.from({ length: TIMES }, () => [took(work), took(parse)]);
  return Math.min(...runs.map(([worked]) => worked)) / Math.min(...runs.map(([, parsed]) => parsed));
};
const answers = filters.map((filter) => {
  const { test } = readFilter(filter);
  return quickest(() => store.select(test, test));
});
process.stdout.write(JSON.stringify([...answers, quickest(() => new SeenFields(events))]));
