// Notifies a visitor who is looking elsewhere: a count in the title and the icon, and on request a desktop
// notification and a sound, at most one a second. Shows what the browser refuses, even if it does so late.

import { ticks } from "../lib/clock.js";
import { abridged } from "../lib/format.js";
import { RANKS } from "../message/alert_parser.js";
import { plain } from "../message/plain_text.js";
import { severityOf } from "../message/severity.js";
import { channelKey, keysOf } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";
import { attempt } from "../stream/unreadable.js";
import { get } from "../ui/preferences.js";
import { Unread } from "./unread.js";

const PAUSE = 1_000; // milliseconds between two notifications
const LENGTH = 200; // characters of a message that a notification shows
const AUDIO_LIMIT = 3_000; // milliseconds to start; meanwhile no other tone is played

// One batch, the chips that were hidden when it came, and whether the page was hidden.
/** @typedef {[events: ShownEvent[], hidden: NodeListOf<HTMLElement>, isUnseen: boolean]} Batch */

export class Notifications {
  #icon;
  #settings;
  #words;
  #say;
  #shown;
  #unread = 0;
  #drawn = 0;
  /** @type {Message | null} */
  #last = null;
  #waiting = 0;
  #calledAt = -Infinity;
  /** @type {number | null} */
  #timer = null;
  /** @type {AudioContext | null} */
  #audio = null;
  #isStarting = false;
  #clicked = async () => (await isRunning(/** @type {AudioContext} */ (this.#audio))) && this.#say("", this.#words.say("sound_waits"));

  // `say(sentence)` shows why no sound can be played; `say("", sentence)` removes that.
  /**
   * @param {HTMLLinkElement} icon
   * @param {import("./settings_dialog.js").SettingsDialog} settings
   * @param {Words} words
   * @param {(sentence: string, former?: string) => void} say
   * @param {ConstructorParameters<typeof Unread>[0]} places where the page shows what is unread
   */
  constructor(icon, settings, words, say, places) {
    this.#icon = new Icon(icon);
    this.#settings = settings;
    this.#words = words;
    this.#say = say;
    this.#shown = new Unread(places, words);
    document.addEventListener("visibilitychange", () => document.hidden || this.#read());
    /** @type {(permission: PermissionStatus) => void} */
    const heed = (permission) => permission.addEventListener("change", () => this.#check());
    navigator.permissions?.query({ name: "notifications" }).then(heed).catch(() => {});
  }

  // Adds batches, also those received before this was loaded; a visible page has no unread messages.
  /** @type {(all: Batch[]) => void} */
  add(all) {
    for (const [events, hidden, isUnseen] of all) this.#addBatch(events, hidden, isUnseen && document.hidden);
  }

  /** @type {(events: ShownEvent[], hidden: NodeListOf<HTMLElement>, isUnread: boolean) => void} */
  #addBatch(events, hidden, isUnread) {
    const messages = events.filter(isMessage);
    if (isUnread) this.#unread += messages.length;
    this.#shown.add(messages, hidden, isUnread);
    if (get("desktop", false) || get("sound", false)) this.#notice(messages);
  }

  // Call once a second.
  tick() {
    this.#shown.tick();
    if (this.#drawn === this.#unread) return;
    this.#drawn = this.#unread;
    const title = document.title.replace(/^\(.*?\) /, "");
    document.title = this.#unread ? `(${this.#unread}) ${title}` : title;
    this.#icon.count(this.#unread);
  }

  #read() {
    this.#unread = 0;
    this.tick();
  }

  // Notifying

  /** @type {(messages: Message[]) => void} */
  #notice(messages) {
    const worthy = messages.filter((event) => attempt(event, () => isWorthy(event)));
    if (!worthy.length || isQuiet(new Date())) return;
    this.#last = worthy[worthy.length - 1];
    this.#waiting += worthy.length;
    const pause = Math.max(0, this.#calledAt + PAUSE - ticks());
    this.#timer ??= setTimeout(() => this.#call(), pause);
  }

  // Of several tabs that received the same message, one notifies.
  #call() {
    this.#timer = null;
    this.#calledAt = ticks();
    const last = /** @type {Message} */ (this.#last);
    const n = this.#waiting;
    this.#waiting = 0;
    const call = () => {
      if (get("sound", false)) this.#beep();
      if (get("desktop", false) && (document.hidden || !parent.document.hasFocus())) this.#notify(last, n); // a focused pane counts as the page
    };
    if (!navigator.locks) return call(); // undefined over plain http
    const hold = () => new Promise((done) => setTimeout(done, PAUSE - 100)); // shorter than this tab's own pause
    const name = `arauto ${channelKey(last)} ${last.data.slice(0, LENGTH)}`;
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return undefined;
      call();
      return hold();
    }).catch(call);
  }

  /** @type {(message: Message, n: number) => void} */
  #notify({ channel, data, encoding }, n) {
    const body = encoding ? "" : abridged(plain(data), LENGTH, 3);
    const title = n > 1 ? this.#words.say("notified", { n, channel }) : channel;
    this.#show(title, body);
  }

  // On Android the constructor exists but throws.
  /** @type {(title: string, body: string) => void} */
  #show(title, body) {
    try {
      const notification = new Notification(title, { body, tag: "arauto", renotify: true, icon: this.#icon.plain });
      notification.addEventListener("error", () => this.#unable());
      notification.addEventListener("click", () => {
        focus();
        notification.close();
      });
    } catch {
      this.#unable();
    }
  }

  #unable() {
    this.#check();
    if (get("desktop", false)) this.#refuse("desktop", "notify_unable");
  }

  // A tone that cannot start now is skipped: waiting tones would all sound at once.
  async #beep() {
    if (this.#isStarting) return;
    try {
      this.#audio ??= new AudioContext();
    } catch {
      return this.#refuse("sound", "sound_unable");
    }
    this.#isStarting = true;
    if (await isRunning(this.#audio)) play(this.#audio);
    else this.#awaitClick();
    this.#isStarting = false;
  }

  #awaitClick() {
    this.#say(this.#words.say("sound_waits"));
    addEventListener("click", this.#clicked, { once: true });
  }

  // Settings

  // Call for each event of the settings dialog.
  /** @type {(type: string, name: string) => void} */
  settled(type, name) {
    if (type === "open") this.#opened();
    else for (const one of type === "test" ? ["desktop", "sound"] : [name]) this.#chosen(one);
  }

  /** @type {(name: string) => Promise<void>} */
  async #chosen(name) {
    this.#warn();
    if (name === "sound" && get("sound", false)) this.#beep();
    if (name !== "desktop" || !get("desktop", false)) return;
    try {
      await Notification.requestPermission();
    } catch {
      // not granted
    }
    this.#check();
    if (get("desktop", false)) this.#show("Arauto", this.#words.say("notify_sample"));
  }

  #opened() {
    this.#check();
    this.#warn();
  }

  // Shows why notifications that are on will not come.
  #warn() {
    if (!get("desktop", false) && !get("sound", false)) return;
    if (this.#settings.isNever) this.#settings.say(this.#words.say("notify_never"));
    else if (isQuiet(new Date())) this.#settings.say(this.#words.say("notify_quiet"));
  }

  #check() {
    const isAllowed = globalThis.Notification?.permission === "granted";
    if (get("desktop", false) && !isAllowed) this.#refuse("desktop", "notify_denied");
  }

  /** @type {(name: string, word: string) => void} */
  #refuse(name, word) {
    this.#settings.refuse(name, this.#words.say(word));
  }
}

/** @type {(audio: AudioContext) => Promise<boolean>} */
async function isRunning(audio) {
  const limit = new Promise((resolve) => setTimeout(resolve, AUDIO_LIMIT));
  if (audio.state !== "running") await Promise.race([audio.resume(), limit]).catch(() => {});
  return audio.state === "running";
}

/** @type {(audio: AudioContext) => void} */
function play(audio) {
  const from = audio.currentTime;
  const tone = new OscillatorNode(audio, { frequency: 880 });
  const loudness = new GainNode(audio, { gain: 0.15 });
  loudness.gain.setTargetAtTime(0, from + 0.12, 0.04);
  tone.connect(loudness).connect(audio.destination);
  tone.start(from);
  tone.stop(from + 0.4);
}

// Plain text has no severity: it notifies only at the level "every".
/** @type {(event: Message) => boolean} */
function isWorthy(event) {
  const levels = get("levels", {});
  return keysOf(event).some((key) => isAtLeast(levels[key] ?? levels[""] ?? "every", event.data));
}

/** @type {(level: string, data: string) => boolean} */
function isAtLeast(level, data) {
  if (level === "never" || level === "every") return level === "every";
  return RANKS.includes(level) && RANKS.indexOf(severityOf(data)) >= RANKS.indexOf(level);
}

// Quiet hours may span midnight.
/** @type {(date: Date) => boolean} */
function isQuiet(date) {
  const from = get("quiet_from", "");
  const to = get("quiet_to", "");
  if (!from || !to || from === to) return false;
  const now = `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
  return from < to ? from <= now && now < to : from <= now || now < to;
}

class Icon {
  #link;
  #image = new Image();

  /** @param {HTMLLinkElement} link */
  constructor(link) {
    this.#link = link;
    this.plain = link.getAttribute("href") ?? "";
    this.#image.src = link.href;
  }

  /** @type {(n: number) => void} */
  count(n) {
    const drawn = n && this.#draw(n > 99 ? "99+" : String(n));
    this.#link.type = drawn ? "image/png" : "image/svg+xml";
    this.#link.href = drawn || this.plain;
  }

  /** @type {(text: string) => string | null} */
  #draw(text) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    const context = canvas.getContext("2d");
    if (!context) return null;
    if (this.#image.naturalWidth) context.drawImage(this.#image, 0, 0, 64, 64); // it is loaded
    context.font = `bold ${text.length > 2 ? 24 : 34}px sans-serif`;
    const width = Math.max(context.measureText(text).width + 10, 36);
    context.fillStyle = "#b3261e";
    context.beginPath();
    context.roundRect(64 - width, 26, width, 38, 12);
    context.fill();
    context.fillStyle = "#fff";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, 64 - width / 2, 46);
    return canvas.toDataURL();
  }
}
