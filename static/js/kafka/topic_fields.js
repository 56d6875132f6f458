// What the form has for Kafka beside what it has for channels: where to, the topic, key, headers and partition.

/** @typedef {"channel" | "topic" | "both"} To */
/** @typedef {{ name: string, value: string | null }} Header */
/** @typedef {[word: string, field: HTMLElement]} Problem */

export class TopicFields {
  #form;

  // It begins with what the page shows.
  /** @param {PublishElement} form @param {Name[]} names */
  constructor(form, names) {
    this.#form = form;
    const topic = names.find(({ kind }) => kind === "topic");
    if (topic) this.#field("topic").value = topic.name;
    if (topic && names.every(({ kind }) => kind === "topic")) this.#to.value = "topic";
    this.#to.addEventListener("change", () => this.#choose());
    this.#choose();
  }

  get to() {
    return /** @type {To} */ (this.#to.value);
  }

  set to(value) {
    this.#to.value = value;
    this.#choose();
  }

  // CSS shows what belongs to it.
  #choose() {
    this.#form.dataset.to = this.to;
  }

  // As the server takes them; what is empty is left out, as there.
  /** @type {() => Record<string, string>} */
  read() {
    /** @type {Record<string, string>} */
    const fields = { topic: this.#field("topic").value.trim() };
    for (const name of ["key", "partition"]) if (this.#field(name).value) fields[name] = this.#field(name).value;
    const headers = readHeaders(this.#field("headers").value);
    if (headers.length) fields.headers = JSON.stringify(headers);
    return fields;
  }

  /** @type {() => Problem | null} */
  problem() {
    if (!this.read().topic) return ["topic_empty", this.#field("topic")];
    return readHeaders(this.#field("headers").value).some(({ name }) => !name) ? this.#unfolded("headers_wrong", "headers") : null;
  }

  // What is folded away cannot have the focus.
  /** @type {(word: string, name: string) => Problem} */
  #unfolded(word, name) {
    /** @type {HTMLDetailsElement} */ (this.#field(name).closest("details")).open = true;
    return [word, this.#field(name)];
  }

  get #to() {
    return this.#form.elements["publish-to"];
  }

  /** @type {(name: string) => any} */
  #field(name) {
    return this.#form.elements.namedItem(`publish-${name}`);
  }
}

// One a line, `name: value`; without a colon it has no value.
/** @type {(text: string) => Header[]} */
function readHeaders(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.map((line) => {
    const [, name, value] = /** @type {RegExpMatchArray} */ (line.match(/^([^:]*)(?::(.*))?$/));
    return { name: name.trim(), value: value?.trim() ?? null };
  });
}
