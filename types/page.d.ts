// Browser interfaces that TypeScript's library lacks, the page's own events, and shared types.

// Elements of the page's own markup are assumed to exist.
interface ParentNode {
  querySelector<Tag extends keyof HTMLElementTagNameMap>(selectors: Tag): HTMLElementTagNameMap[Tag];
  querySelector(selectors: string): HTMLElement;
}

interface Document {
  getElementById(id: string): HTMLElement;
}

// The target of an element's event is that element or one within it.
interface HTMLElement {
  addEventListener<Type extends keyof HTMLElementEventMap>(
    type: Type,
    listener: (event: HTMLElementEventMap[Type] & { readonly target: HTMLElement }) => unknown,
    options?: AddEventListenerOptions,
  ): void;
}

// A form with its elements by name.
type FormOf<Elements> = HTMLFormElement & { elements: HTMLFormControlsCollection & Elements };

interface EventTarget {
  // Emitter's events have a detail.
  addEventListener(type: string, listener: (event: CustomEvent) => void): void;
}

interface DocumentEventMap {
  republish: CustomEvent<Draft>;
  unloaded: Event;
}

interface WindowEventMap {
  state: CustomEvent<{ frame: Element | null; of: string; state: Pick<FeedState, "name" | "what" | "since" | "reason"> }>;
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

// A name of the selection.
type Name = { kind: "channel" | "pattern" | "shard" | "topic"; name: string };

// A word's key, and the values of its placeholders.
type Said = [key: string, values?: Record<string, string | number>];

// One push of a message; merged with the pushes of its patterns, it is a Message.
type Push = {
  type: "message" | "pmessage" | "smessage" | "tmessage";
  at: number; // Unix seconds of the server, as all times
  channel: string; // also for a sharded channel or a topic, for which the server sends only `shard` or `topic`
  channel_base64?: string;
  shard?: string;
  pattern?: string;
  data: string;
  encoding?: "base64";
  truncated?: boolean;
  size?: number;
  id?: string;
  past?: boolean;
  kafka?: import("../static/js/kafka/kafka_record.js").KafkaRecord; // for a topic
  mark?: Said; // shown before its data
};
// The fields of a message that only Kafka has.
type KafkaFacts = {
  partition: number;
  offset: number;
  time?: number;
  clock?: "producer" | "broker";
  key?: string | null;
  key_base64?: string;
  key_size?: number; // if the key was cut
  headers?: { name: string; value?: string | null; value_base64?: string; size?: number }[];
  headers_left_out?: number;
  headers_unreadable?: boolean;
  tombstone?: boolean; // without data
  schema?: { id: number; n: number }; // its id in a registry, and how many bytes follow
};
type Message = Push & { patterns: string[]; receivers?: number }; // receivers: if this page published it

type Gap = {
  type: "gap";
  from: number;
  to: number;
  reason: string;
  lost?: number; // when the connection was lost, if the gap begins earlier
  channel?: string;
  shard?: string;
  topic?: string;
  partition?: number;
  offset?: string;
  n?: number; // the largest possible number of missing messages
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

// Since when, and why, a topic is unavailable.
type Away = { from: number; error: string };

// A taken message: by whom and since when; given back if `by` is empty.
type Acknowledgement = { id: string; by: string; since: number };

// Events of the server.
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

// Events that the page shows: "also" is one more pattern of a message that was shown.
type ShownEvent = Message | Gap | { type: "also"; event: Message };

// Events that may have a row in the feed.
type FeedItem =
  | Message
  | Gap
  | { type: "cleared"; messages: number; undo: () => void }
  | { type: "older" | "skipped" | "fell_out" | "lane_nothing" | "lane_unrecorded"; n: number };

// The state of the feed, and by key the names of the selection: confirmed, refused, recorded.
type FeedState = {
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
  partly?: Said; // the status if the feed is only partly live
};

// The content of the form, also as it is stored.
type Draft = {
  kind?: string;
  channel?: string; // undefined if the destination is a topic alone
  message: string;
  name?: string;
  to?: "topic" | "both";
  topic?: string;
} & TopicRecord;
// The fields of a message to a topic beside its data, as in a form request.
type TopicRecord = { key?: string; headers?: string; partition?: string; tombstone?: string };

type PublishElement = FormOf<{
  channel: HTMLInputElement;
  kind: HTMLInputElement;
  message: HTMLTextAreaElement;
  csrf?: HTMLInputElement;
  "publish-times": HTMLInputElement;
  "publish-stop": HTMLButtonElement;
  "publish-button": HTMLButtonElement;
  "publish-to": HTMLSelectElement; // with Kafka only
}> & { publisher: import("../static/js/publish/publish_form.js").PublishForm };

// Elements of the page with a special type, by id.
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

// The content of a message: decoded `text`, or `bytes`.
type Content = {
  text?: string;
  bytes?: Uint8Array<ArrayBuffer>;
  isJson?: boolean;
  alert?: Alert | null;
  event?: string; // a keyspace event; `text` is the key, in this database
  database?: string;
  format?: string;
  isCut?: boolean;
  isQuoted?: boolean;
  hasCodes?: boolean;
};

// Whether a message passes; undefined if a search has not tested it yet.
type Test = (event: Message) => boolean | undefined;

type Places = [index: number, length: number][];

// Finds matches in a text that `normalize` has returned.
type Mark = { normalize(text: string): string; find(text: string, limit: number): Places | Promise<Places> };

// A parsed filter; `problem` is a word's key and values after a syntax error. With a `search`, the test is valid only
// for messages that it has tested; `served` is the filter's text if the server can search for it, else empty.
type Query = {
  test: Test | null;
  marks: Mark[];
  problem: Said | null;
  search: import("../static/js/feed/regex_search.js").RegexSearch | null;
  served: string;
  hides?: boolean;
};

// An event read from a log or topic.
type PastEvent = (Message | Gap) & { at: number };
// How many messages were searched, and up to when. `said`: why the search is incomplete.
type Searched = { type: "searched"; n: number; at: number; said?: string };

// Reads the past of topics; with Kafka only.
type PastOfTopics = {
  readTopic?(topic: string, since: string, signal: AbortSignal, filter?: string): AsyncGenerator<PastEvent | Searched, undefined>;
  openLinked?(
    detail: { say(sentence: string): Promise<void>; reveal(event: Message): Promise<void> },
    replay: import("../static/js/history/replay.js").Replay,
  ): Promise<void>;
};
