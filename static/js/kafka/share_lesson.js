// Shows what Redis Pub/Sub cannot do: two workers of a consumer group share tasks that two subscribers of Redis both get.
// The visitor starts the workers; the offsets committed in Kafka show what each has done.

import { element, setText } from "../ui/dom.js";
import { timesOfDay } from "../ui/timestamps.js";
import { Broadcast } from "./broadcast.js";
import { ranges } from "./lag_history.js";
import { askTopic, Refresh } from "./refresh.js";
import { makeDialog, makeTable, verbatim } from "./tables.js";
import { loadTopicParts } from "./topic_words.js";

/** @typedef {import("./group_section.js").Group} Group */
/** @typedef {import("./group_section.js").Member} Member */
/** @typedef {{ n: number, text: string, partition: number, offset: number, by?: string }} Task */

const TOPIC = "sistema_tarefas"; // and GROUP: as in examples/worker.py; also the name of the channel
const GROUP = "workers";
const TASKS = 10;
const PAUSE = 1_000; // milliseconds between two requests
const WORKER = "KAFKA_URL=kafka://localhost:9092 .venv/bin/python examples/worker.py";
const TOPICS = "kafka-topics.sh --bootstrap-server localhost:9092";

export class ShareLesson {
  #words;
  #shared;
  #broadcast = new Broadcast();
  #refresh = new Refresh((signal) => this.#look(signal), PAUSE);
  /** @type {ReturnType<typeof makeDialog> | null} */
  #parts = null;
  #hint = element("p", "");
  #command = element("code", "command");
  #members = element("ul", "members");
  #button = element("button", "button button--main");
  /** @type {ReturnType<typeof makeTable> | null} */
  #table = null;
  #verdict = Object.assign(element("p", ""), { role: "status" });
  /** @type {Task[]} */
  #tasks = [];
  /** @type {Member[]} */
  #working = []; // members that have a partition
  #isPublishing = false;

  // `shared()` is called once two workers have shared the tasks and each subscriber has received them all.
  /** @param {Words} words @param {() => void} shared */
  constructor(words, shared) {
    this.#words = words;
    this.#shared = shared;
  }

  // Throws if the words cannot be loaded.
  async open() {
    await loadTopicParts();
    const words = this.#words;
    this.#parts ??= this.#build();
    this.#tasks = [];
    this.#verdict.textContent = "";
    this.#parts.state.textContent = words.say("about_asking");
    this.#showWorkers(0, []);
    this.#ask("", "");
    this.#draw();
    this.#parts.dialog.showModal();
    this.#refresh.start();
  }

  #build() {
    const words = this.#words;
    const parts = makeDialog("share", words, () => {
      this.#refresh.stop();
      this.#broadcast.close();
    });
    parts.title.textContent = words.say("try_share");
    this.#command.translate = false;
    this.#button.textContent = words.say("share_publish");
    this.#button.addEventListener("click", () => this.#publish());
    this.#table = makeTable(words.say("share_table"), ["who", "got", "tasks"].map((what) => words.say(`share_${what}`)));
    parts.scroll.append(
      element("p", "", words.say("share_intro")), this.#hint, this.#command, this.#members, this.#button, this.#table.table, this.#verdict,
    );
    return parts;
  }

  /** @type {(signal: AbortSignal) => Promise<void>} */
  async #look(signal) {
    const { error, status, groups } = await askTopic(TOPIC, "/groups", signal, this.#words);
    if (!this.#parts?.dialog.open) return;
    if (!this.#isPublishing) this.#say(status === 404 ? "" : (error ?? ""));
    if (status === 404) {
      this.#showWorkers(0, []);
      return this.#ask("share_no_topic", `${TOPICS} --create --topic ${TOPIC} --partitions 2`);
    }
    if (error !== undefined) return;
    /** @type {Group | undefined} */
    const group = groups.find((/** @type {Group} */ { group }) => group === GROUP);
    this.#showWorkers(await this.#partitions(group, signal), group?.members ?? []);
    if (group) this.#account(group);
    this.#draw();
  }

  // The number of partitions, from the topic if the group does not exist yet.
  /** @type {(group: Group | undefined, signal: AbortSignal) => Promise<number>} */
  async #partitions(group, signal) {
    if (group) return group.partitions.length;
    return (await askTopic(TOPIC, "", signal, this.#words)).partitions?.length ?? 2;
  }

  /** @type {(partitions: number, members: Member[]) => void} */
  #showWorkers(partitions, members) {
    const words = this.#words;
    this.#working = members.filter((member) => member.partitions.length);
    this.#members.replaceChildren(...members.map(({ client, partitions }) => {
      const item = element("li", "");
      const has = partitions.length ? words.say("about_has", { n: partitions.length, which: ranges(partitions) }) : words.say("about_waits");
      item.append(verbatim(client), `: ${has}`);
      return item;
    }));
    this.#button.hidden = this.#working.length < 2;
    this.#button.disabled = this.#isPublishing;
    if (partitions === 1) this.#ask("share_one_partition", `${TOPICS} --alter --topic ${TOPIC} --partitions 2`);
    else if (this.#working.length < 2) this.#ask("share_start", WORKER, words.say(members.length ? "share_one" : "share_nobody"));
    else this.#ask("", "");
  }

  /** @type {(word: string, command: string, more?: string) => void} */
  #ask(word, command, more = "") {
    this.#hint.textContent = word && [more, this.#words.say(word, { name: TOPIC })].filter(Boolean).join(" ");
    this.#command.textContent = command;
    this.#command.hidden = !command;
  }

  /** @type {(sentence: string) => void} */
  #say(sentence) {
    const { state } = /** @type {ReturnType<typeof makeDialog>} */ (this.#parts);
    setText(state, sentence);
  }

  // Publishes each task to the topic, to the partitions in turn, and to the channel.
  async #publish() {
    const words = this.#words;
    const partitions = this.#working.flatMap((member) => member.partitions).sort((one, other) => one - other);
    const [run] = timesOfDay([new Date()], true);
    this.#isPublishing = this.#button.disabled = true;
    this.#tasks = [];
    this.#verdict.textContent = "";
    try {
      await this.#broadcast.open(TOPIC, () => this.#draw());
      for (let n = 1; n <= TASKS; n++) {
        const message = words.say("share_task", { n, run });
        const { partition, offset } = await publish({ topic: TOPIC, partition: String(partitions[n % partitions.length]), message });
        this.#tasks.push({ n, text: message, partition, offset });
        await publish({ channel: TOPIC, message });
        this.#draw();
      }
      this.#say("");
    } catch (error) {
      this.#say(/** @type {Error} */ (error).message || words.say("no_channels"));
    }
    this.#isPublishing = false;
  }

  // A committed task was done by the member that has its partition.
  /** @type {(group: Group) => void} */
  #account({ members, partitions }) {
    const owners = new Map(members.flatMap((member) => member.partitions.map((one) => [one, nameOf(member, members)])));
    const ends = new Map(partitions.map(({ partition, committed }) => [partition, committed ?? 0]));
    for (const task of this.#tasks) {
      if (task.by === undefined && (ends.get(task.partition) ?? 0) > task.offset) task.by = owners.get(task.partition);
    }
  }

  #draw() {
    const words = this.#words;
    const tasks = this.#tasks;
    const received = this.#broadcast.got.map((got) => tasks.filter(({ text }) => got.has(text)));
    const workers = new Set([...this.#working.map((member) => nameOf(member, this.#working)), ...tasks.flatMap(({ by }) => by ?? [])]);
    const done = [...workers].map((name) => ({ name, tasks: tasks.filter(({ by }) => by === name) }));
    const count = (/** @type {Task[]} */ some) => [words.say("about_in_sync_of", { n: some.length, all: TASKS }), ranges(some.map(({ n }) => n))];
    this.#table?.fill(tasks.length ? [
      ...received.map((some, at) => [words.say("share_subscriber", { n: at + 1 }), ...count(some)]),
      ...done.map(({ name, tasks }) => [words.say("share_worker", { name }), ...count(tasks)]),
    ] : []);
    if (this.#table) this.#table.table.hidden = !tasks.length;
    const isAllDone = tasks.length === TASKS && tasks.every(({ by }) => by !== undefined) && received.every((some) => some.length === TASKS);
    const isShared = isAllDone && done.filter(({ tasks }) => tasks.length).length > 1;
    const verdict = !tasks.length ? "" : words.say(isShared ? "share_shared" : isAllDone ? "share_alone" : "share_waiting");
    if (this.#verdict.textContent === verdict) return;
    this.#verdict.textContent = verdict;
    if (isShared) this.#shared();
  }
}

// The client's name, with its partitions if two clients have the same name.
/** @type {(member: Member, all: Member[]) => string} */
function nameOf({ client, partitions }, all) {
  return all.filter((other) => other.client === client).length > 1 ? `${client} (${ranges(partitions)})` : client;
}

// Throws an Error with the server's sentence, or an empty one if it did not answer.
/** @type {(what: Record<string, string>) => Promise<any>} */
async function publish(what) {
  const { csrf } = /** @type {any} */ (document.forms).publish.elements;
  const headers = { Accept: "application/json", ...(csrf && { "X-CSRF-Token": csrf.value }) };
  const answer = await fetch(new URL("publish", document.baseURI), { method: "POST", headers, body: new URLSearchParams(what) }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (!answer?.ok) throw new Error(said?.error ?? "");
  return said;
}
