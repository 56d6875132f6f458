// A module that the first message does not need. It is loaded on request, and all of them when the browser is idle,
// so that they work even after the server has gone away.

const TIMEOUT = 5_000; // milliseconds, after which even a busy browser loads them

/** @type {Deferred<any>[]} */
const all = [];
/** @type {string[]} */
const scripts = []; // of workers
/** @type {() => Promise<unknown>} */
let need = async () => {};
/** @type {Promise<unknown> | null} */
let needed = null;

/** @template Part */
export class Deferred {
  #url;
  #make;
  /** @type {Promise<any> | null} */
  #asked = null;
  /** @type {PromiseWithResolvers<any> | null} */
  #arrival = null;
  /** @type {Part | null} */
  part = null; // until it is loaded

  // `path` leads by way of the module's folder, so that it is valid from the caller and from here. `make` gets the
  // module and makes its one part; without it the module is the part.
  /** @param {string} path @param {(module: any) => Part} [make] */
  constructor(path, make = (module) => module) {
    this.#url = address(path);
    this.#make = make;
    all.push(this);
  }

  // Throws an Error without a message if the server did not answer; the next call tries again.
  /** @type {() => Promise<Part>} */
  async load() {
    return this.#made(await this.#module());
  }

  // Loads it, ignoring a failure.
  want() {
    this.load().catch(() => {});
  }

  /** @type {(module: any) => Part} */
  #made(module) {
    return (this.part ??= this.#make(module));
  }

  /** @type {() => Promise<any>} */
  #module() {
    this.#asked ??= this.#fetch().catch(() => {
      this.#asked = null;
      throw new Error("");
    });
    return this.#asked;
  }

  /** @type {() => Promise<any>} */
  async #fetch() {
    needed ??= need().catch((error) => {
      needed = null;
      throw error;
    });
    await Promise.all([needed, cache(this.#url)]);
    const module = await import(this.#url);
    this.#arrival?.resolve(module);
    return module;
  }

  // Loads it and waits without limit. Event of the document: "unloaded", if it cannot be loaded now.
  /** @type {() => Promise<Part>} */
  async arrive() {
    const { promise, resolve } = (this.#arrival ??= Promise.withResolvers());
    this.#module().then(resolve, () => document.dispatchEvent(new Event("unloaded")));
    return this.#made(await promise);
  }

  // `load` fetches what all modules need, when the first is requested.
  /** @type {(load: () => Promise<unknown>) => void} */
  static needs(load) {
    need = load;
  }

  // Fetches all other modules without making their parts; failures are ignored.
  static loadAll() {
    const missing = all.filter((deferred) => !deferred.#asked);
    if (!missing.length) return;
    const work = () => {
      missing.forEach((deferred) => deferred.#module().catch(() => {}));
      scripts.forEach((url) => cache(url).catch(() => {}));
    };
    const whenIdle = /** @type {typeof requestIdleCallback} */ (globalThis.requestIdleCallback ?? setTimeout);
    whenIdle(work, { timeout: TIMEOUT });
  }
}

// A worker's script, which is cached with the others.
/** @type {(path: string) => string} */
export function deferScript(path) {
  const href = address(path);
  scripts.push(href);
  return href;
}

// The bundler rewrites each path, and all bundled files are in one folder.
/** @type {(path: string) => string} */
function address(path) {
  return new URL(path, import.meta.url).href;
}

// A browser may remember a failed import until the page is reloaded, but not a failed request.
/** @type {(url: string) => Promise<void>} */
async function cache(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("");
  await answer.text();
}
