// Calls a person who looks elsewhere: a count in the title and the icon; desktop notifications and a
// sound for those who asked, at most one a second.

import { abridged } from "./format.js";
import { keysOf } from "./names.js";
import { attempt } from "./odd.js";
import { get } from "./preferences.js";
import { plain } from "./reading.js";
import { RANKS } from "./alert.js";
import { severityOf } from "./severity.js";

const PAUSE = 1_000; // milliseconds between two calls
const LENGTH = 200; // characters of a message that a notification shows

export class Noticing {
  #icon;
  #settings;
  #words;
  #unread = 0;
  #drawn = 0;
  #last = null;
  #waiting = 0;
  #calledAt = -Infinity;
  #timer = null;
  #audio = null;

  constructor(icon, settings, words) {
    this.#icon = new Icon(icon);
    this.#settings = settings;
    this.#words = words;
    document.addEventListener("visibilitychange", () => document.hidden || this.#read());
    settings.addEventListener("change", ({ detail }) => this.#chosen(detail));
  }

  heard(events) {
    const messages = events.filter(({ type }) => type.endsWith("message"));
    if (document.hidden) this.#unread += messages.length;
    if (get("desktop", false) || get("sound", false)) this.#notice(messages);
  }

  // Call once a second.
  tick() {
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

  // Whom to call, and when

  #notice(messages) {
    const worthy = messages.filter((event) => attempt(event, () => isWorthy(event)));
    if (!worthy.length || isQuiet(new Date())) return;
    this.#last = worthy.at(-1);
    this.#waiting += worthy.length;
    const pause = Math.max(0, this.#calledAt + PAUSE - performance.now());
    this.#timer ??= setTimeout(() => this.#call(), pause);
  }

  // Of all tabs that have heard the same, one calls.
  #call() {
    this.#timer = null;
    this.#calledAt = performance.now();
    const [last, n] = [this.#last, this.#waiting];
    this.#waiting = 0;
    const call = () => {
      if (get("sound", false)) this.#beep();
      if (get("desktop", false) && (document.hidden || !document.hasFocus())) this.#notify(last, n);
    };
    if (!navigator.locks) return call(); // over plain http
    const hold = () => new Promise((done) => setTimeout(done, PAUSE - 100)); // this tab's next call comes after it
    const name = `arauto ${last.channel} ${last.data.slice(0, LENGTH)}`;
    navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && (call(), hold()));
  }

  #notify({ channel, data, encoding }, n) {
    const body = encoding ? "" : abridged(plain(data), LENGTH, 3);
    const title = n > 1 ? this.#words.say("notified", { n, channel }) : channel;
    const notification = new Notification(title, { body, tag: "arauto", renotify: true, icon: this.#icon.plain });
    notification.addEventListener("click", () => {
      focus();
      notification.close();
    });
  }

  #beep() {
    this.#audio ??= new AudioContext();
    const from = this.#audio.currentTime;
    const tone = new OscillatorNode(this.#audio, { frequency: 880 });
    const loudness = new GainNode(this.#audio, { gain: 0.15 });
    loudness.gain.setTargetAtTime(0, from + 0.12, 0.04);
    tone.connect(loudness).connect(this.#audio.destination);
    tone.start(from);
    tone.stop(from + 0.4);
  }

  // What a person switches on

  async #chosen(name) {
    if (name === "sound" && get("sound", false)) this.#beep();
    if (name !== "desktop" || !get("desktop", false)) return;
    const permission = "Notification" in window ? await Notification.requestPermission() : "denied";
    if (permission !== "granted") this.#settings.refuse("desktop", this.#words.say("notify_denied"));
  }
}

// Plain text says nothing of its severity: it is only noticed where every message is.
function isWorthy(event) {
  const levels = get("levels", {});
  return keysOf(event).some((key) => isAtLeast(levels[key] ?? levels[""] ?? "never", event.data));
}

function isAtLeast(level, data) {
  if (level === "never" || level === "every") return level === "every";
  return RANKS.includes(level) && RANKS.indexOf(severityOf(data)) >= RANKS.indexOf(level);
}

// Quiet hours may go over midnight.
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

  constructor(link) {
    this.#link = link;
    this.plain = link.getAttribute("href");
    this.#image.src = link.href;
  }

  count(n) {
    this.#link.type = n ? "image/png" : "image/svg+xml";
    this.#link.href = n ? this.#draw(n > 99 ? "99+" : String(n)) : this.plain;
  }

  #draw(text) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    const context = canvas.getContext("2d");
    context.drawImage(this.#image, 0, 0, 64, 64);
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
