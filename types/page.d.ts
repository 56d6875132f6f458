// What the checker's own library does not know of browsers, and which events are ours.

interface EventTarget {
  // Emitter's events carry something.
  addEventListener(type: string, listener: (event: CustomEvent) => void): void;
}

interface DocumentEventMap {
  republish: CustomEvent<{ channel: string; message: string }>;
  unloaded: Event;
}

interface NotificationOptions {
  renotify?: boolean;
}

declare var trustedTypes:
  | { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } }
  | undefined;

// What one listens to.
type Name = { kind: "channel" | "pattern"; name: string };

// A word's key, and the values for its places.
type Said = [key: string, values?: Record<string, string | number>];

// What the server says, and what the page adds to it, told apart by its type.
type FeedEvent = {
  type: string;
  at?: number; // Unix seconds of the server, as the next ones
  from?: number;
  to?: number;
  lost?: number; // when a connection was, whose gap begins before that
  since?: number;
  channel?: string;
  channel_base64?: string;
  pattern?: string;
  patterns?: string[];
  data?: string;
  encoding?: "base64";
  truncated?: boolean;
  size?: number;
  id?: string;
  epoch?: string;
  past?: boolean;
  reason?: string;
  detail?: string;
  error?: string;
  n?: number;
  event?: FeedEvent;
};
