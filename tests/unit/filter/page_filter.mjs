// The page's filter: reads { folder, messages, filters } from stdin; writes for each filter the indexes of the messages
// that pass, or the key of its problem.

import { text } from "node:stream/consumers";

const { folder, messages, filters } = JSON.parse(await text(process.stdin));
const { readFilter } = await import(`${folder}/static/js/feed/filter_query.js`);
const events = messages.map(([channel, data]) => ({ type: "message", channel, data, patterns: [] }));
const answers = filters.map((filter) => {
  const { test, problem, search } = readFilter(filter);
  if (search) return "regex";
  return problem ? problem[0] : events.flatMap((event, n) => (!test || test(event) ? [n] : []));
});
process.stdout.write(JSON.stringify(answers));
