// A module that no first message needs. It comes when it is asked for, and each of them when the browser is idle:
// what they do must not depend on a server that is still there.

const TIMEOUT = 5_000; // milliseconds, in which even a busy browser loads them

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
  part = null; // once somebody has loaded it

  // The path from the module that names it, by way of its folder: so it leads there from here too. `make` gets the
  // module, and makes the one part that there is of it: without it the module is the part.
  /** @param {string} path @param {(module: any) => Part} [make] */
  constructor(path, make = (module) => module) {
    this.#url = address(path);
    this.#make = make;
    all.push(this);
  }

  // Throws an Error without words where the server did not answer; the next call tries again.
  /** @type {() => Promise<Part>} */
  async load() {
    return this.#made(await this.#module());
  }

  // It comes if it can, in silence.
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

  // Asks for it and waits, however long that takes. Event of the document: "unloaded", when it does not come now.
  /** @type {() => Promise<Part>} */
  async arrive() {
    const { promise, resolve } = (this.#arrival ??= Promise.withResolvers());
    this.#module().then(resolve, () => document.dispatchEvent(new Event("unloaded")));
    return this.#made(await promise);
  }

  // `load` brings what all of them need beside themselves, once the first is asked for.
  /** @type {(load: () => Promise<unknown>) => void} */
  static needs(load) {
    need = load;
  }

  // The modules that are not there yet, of which nothing is made; in silence.
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

// A worker's script, that is cached with the others.
/** @type {(path: string) => string} */
export function deferScript(path) {
  const href = address(path);
  scripts.push(href);
  return href;
}

// The bundler writes each path as it is from file to file, and all files are beside each other.
/** @type {(path: string) => string} */
function address(path) {
  return new URL(path, import.meta.url).href;
}

// An import that failed may be remembered by the browser, for as long as the page: a request is not.
/** @type {(url: string) => Promise<void>} */
async function cache(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("");
  await answer.text();
}
