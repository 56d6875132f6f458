// The page's help with the filter: reads { folder, messages, calls: [name, ...given][] } from stdin; writes the result
// of each call.

import { text } from "node:stream/consumers";

const { folder, messages, calls } = JSON.parse(await text(process.stdin));
const load = (path) => import(`${folder}/static/js/filter/${path}.js`);
const { SeenFields } = await load("seen_fields");
const { suggest } = await load("suggestions");
const { correct } = await load("corrections");
const { examplesOf } = await load("filter_examples");
const { levelsIn, withLevels } = await load("severity_terms");
const seen = new SeenFields(messages.map(([channel, data]) => ({ type: "message", channel, data, patterns: [] })));
const answers = {
  // The caret is where ^ is, or at the end.
  suggest(given) {
    const [before, after = ""] = given.split("^");
    return suggest(before + after, before.length, seen).map(({ written, text: whole, caret }) => [written, `${whole.slice(0, caret)}^${whole.slice(caret)}`]);
  },
  correct: (filter) => correct(filter, seen),
  levels: (filter) => [...levelsIn(filter)],
  toggle(filter, level) {
    const levels = levelsIn(filter);
    if (!levels.delete(level)) levels.add(level);
    return withLevels(filter, levels);
  },
  examples: () => examplesOf(seen).map(({ filter }) => filter),
};
process.stdout.write(JSON.stringify(await Promise.all(calls.map(([name, ...given]) => answers[name](...given)))));
