// What the checker's own library does not know of browsers, and which events are ours.

// What the page's own markup has is taken to be there.
interface ParentNode {
  querySelector<Tag extends keyof HTMLElementTagNameMap>(selectors: Tag): HTMLElementTagNameMap[Tag];
  querySelector(selectors: string): HTMLElement;
}

interface Document {
  getElementById(id: string): HTMLElement;
}

// An event of an element comes from it or one within.
interface HTMLElement {
  addEventListener<Type extends keyof HTMLElementEventMap>(
    type: Type,
    listener: (event: HTMLElementEventMap[Type] & { readonly target: HTMLElement }) => unknown,
    options?: AddEventListenerOptions,
  ): void;
}

// A form with the elements that it has by name.
type FormOf<Elements> = HTMLFormElement & { elements: HTMLFormControlsCollection & Elements };

interface EventTarget {
  // Emitter's events carry something.
  addEventListener(type: string, listener: (event: CustomEvent) => void): void;
}

interface DocumentEventMap {
  republish: CustomEvent<Draft>;
  unloaded: Event;
}

interface WindowEventMap {
  standing: CustomEvent<{ of: string; standing: Pick<Standing, "name" | "what" | "since" | "reason"> }>;
}

interface NotificationOptions {
  renotify?: boolean;
}

declare var trustedTypes:
  | { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } }
  | undefined;

type MessageRates = import("../static/js/channels/message_rates.js").MessageRates;
type Rows = import("../static/js/message/row.js").Rows;
type PageSelection = import("../static/js/stream/selection.js").Selection;
type Words = import("../static/js/ui/i18n.js").Words;

// What one listens to.
type Name = { kind: "channel" | "pattern" | "shard" | "topic"; name: string };

// A word's key, and the values for its places.
type Said = [key: string, values?: Record<string, string | number>];

// One push of a message; merged with those of the patterns that match it, it is a Message.
type Push = {
  type: "message" | "pmessage" | "smessage" | "tmessage";
  at: number; // Unix seconds of the server, as all times
  channel: string; // also of a sharded channel or a topic: the server says `shard` or `topic` alone
  channel_base64?: string;
  shard?: string;
  pattern?: string;
  data: string;
  encoding?: "base64";
  truncated?: boolean;
  size?: number;
  id?: string;
  past?: boolean;
  kafka?: import("../static/js/kafka/kafka_record.js").KafkaRecord; // of a topic
  mark?: Said; // what is said of it before its data
};
// What only Kafka says of a message.
type KafkaFacts = {
  partition: number;
  offset: number;
  time?: number;
  clock?: "producer" | "broker";
  key?: string | null;
  key_base64?: string;
  key_size?: number; // of one of which only the beginning is here
  headers?: { name: string; value?: string | null; value_base64?: string; size?: number }[];
  headers_left_out?: number;
  headers_unreadable?: boolean;
  tombstone?: boolean; // it has no data
  schema?: { id: number; n: number }; // of a registry, and how many bytes follow
};
type Message = Push & { patterns: string[]; receivers?: number }; // who received it, where this page published it

type Gap = {
  type: "gap";
  from: number;
  to: number;
  reason: string;
  lost?: number; // when a connection was, whose gap begins before that
  channel?: string;
  shard?: string;
  topic?: string;
  partition?: number;
  offset?: string;
  n?: number; // of messages that are missing, at most
  at?: number;
};
type Following = { type: "following"; channel: string; epoch?: string; id?: string; since?: number };
type Stopped = { type: "stopped"; channel: string; from: number; error: string };
type Reconnecting = { type: "reconnecting"; from: number; reason: string; detail: string };
type Refused = { type: "refused"; channel?: string; pattern?: string; shard?: string; topic?: string; error: string };
type Confirmation = {
  type: "subscribe" | "psubscribe" | "ssubscribe" | "unsubscribe" | "punsubscribe" | "sunsubscribe";
  channel?: string;
  pattern?: string;
  shard?: string;
  topic?: string;
  at: number;
};

// Since when, and why, nothing comes of a topic.
type Away = { from: number; error: string };

// Who has taken a message, and since when; nobody, without a name.
type Acknowledgement = { id: string; by: string; since: number };

// What the server says.
type FeedEvent =
  | Push
  | Gap
  | Following
  | Stopped
  | Reconnecting
  | Refused
  | Confirmation
  | { type: "unrecorded"; channel: string }
  | ({ type: "acknowledged"; channel: string } & Acknowledgement)
  | { type: "error"; error: string }
  | { type: "heartbeat"; at: number };

// What the page makes of them: "also" is one more pattern of a message that was shown.
type ShownEvent = Message | Gap | { type: "also"; event: Message };

// What the feed may have a row for.
type FeedItem =
  | Message
  | Gap
  | { type: "cleared"; messages: number; undo: () => void }
  | { type: "older" | "skipped" | "fell_out" | "lane_nothing" | "lane_unrecorded"; n: number };

// How the feed stands, and by key the names of the selection: what Redis has said to each, which are recorded.
type Standing = {
  name: string;
  what?: string;
  since?: number;
  reason?: string;
  status?: number;
  confirmed: Set<string>;
  refusals: Map<string, string>;
  recorded: Set<string>;
  stopped: Map<string, Stopped | undefined>;
  away?: Map<string, Away>;
  partly?: Said; // what is said where it is live, but not all of it
};

// What is written in the form, and as it is kept.
type Draft = {
  kind?: string;
  channel?: string; // none where it goes to a topic alone
  message: string;
  name?: string;
  to?: "topic" | "both";
  topic?: string;
} & TopicRecord;
// What a message to a topic has beside its data, as the server takes it of a form.
type TopicRecord = { key?: string; headers?: string; partition?: string; tombstone?: string };

type PublishElement = FormOf<{
  channel: HTMLInputElement;
  kind: HTMLInputElement;
  message: HTMLTextAreaElement;
  csrf?: HTMLInputElement;
  "publish-times": HTMLInputElement;
  "publish-stop": HTMLButtonElement;
  "publish-button": HTMLButtonElement;
  "publish-to": HTMLSelectElement; // where there is Kafka
}> & { publisher: import("../static/js/publish/publish_form.js").PublishForm };

// Of the page, by id, what is more than an element.
type PageElements = {
  browser: HTMLDialogElement;
  "browser-row": HTMLTemplateElement;
  chip: HTMLTemplateElement;
  choose: FormOf<{ name: HTMLInputElement; kind: HTMLSelectElement }>;
  confirm: HTMLDialogElement;
  draft: HTMLTemplateElement;
  "field-tools": HTMLTemplateElement;
  drafts: HTMLDialogElement;
  filter: FormOf<{ filter: HTMLInputElement; highlight: HTMLInputElement }>;
  forget: HTMLDialogElement;
  keys: HTMLDialogElement;
  lanes: HTMLDialogElement;
  level: HTMLTemplateElement;
  "message-row": HTMLTemplateElement;
  "notice-row": HTMLTemplateElement;
  publish: PublishElement;
  "publish-message": HTMLTextAreaElement;
  replay: ReplayElement;
  "row-tools": HTMLTemplateElement;
  settings: HTMLDialogElement;
  view: HTMLSelectElement;
};

type ReplayElement = FormOf<{
  lanes: HTMLButtonElement;
  live: HTMLButtonElement;
  open: HTMLButtonElement;
  search: HTMLButtonElement;
  since: HTMLInputElement;
  speed: HTMLSelectElement;
}>;

// An alert found in a message. `shown`: the members that the card shows; null if it shows no others.
type Alert = {
  severity: string;
  title: string;
  text: string;
  tags: string[];
  link: string;
  shown: string[] | null;
};

// What a message is: `text` as it is read, or `bytes`.
type Content = {
  text?: string;
  bytes?: Uint8Array<ArrayBuffer>;
  isJson?: boolean;
  alert?: Alert | null;
  event?: string; // of the key that the text is, in this database
  database?: string;
  format?: string;
  isCut?: boolean;
  isQuoted?: boolean;
  hasCodes?: boolean;
};

// Whether a message passes; undefined where a search does not know it yet.
type Test = (event: Message) => boolean | undefined;

type Places = [index: number, length: number][];

// Finds places in a text that `normalize` has put into its form.
type Mark = { normalize(text: string): string; find(text: string, limit: number): Places | Promise<Places> };

// A filter as it is used; a word's key and values where it cannot be. With a `search`, the test is only for messages
// that it knows; `served` is its text where a server can search for it, or empty.
type Query = {
  test: Test | null;
  marks: Mark[];
  problem: Said | null;
  search: import("../static/js/feed/regex_search.js").RegexSearch | null;
  served: string;
  hides?: boolean;
};

// What was recorded, read again.
type PastEvent = (Message | Gap) & { at: number };
// How many were searched meanwhile, and up to when.
// `said`: why that was not all.
type Searched = { type: "searched"; n: number; at: number; said?: string };

// What reads the past of topics, where there is Kafka.
type PastOfTopics = {
  readTopic?(topic: string, since: string, signal: AbortSignal, filter?: string): AsyncGenerator<PastEvent | Searched, undefined>;
  openLinked?(
    detail: { say(sentence: string): Promise<void>; reveal(event: Message): Promise<void> },
    replay: import("../static/js/history/replay.js").Replay,
  ): Promise<void>;
};
