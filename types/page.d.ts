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
