// Keeps what is written and not yet published as long as its tab lives: over a reload, another page and back, a crash.

const KEY = "arauto.unsent";
const PATIENCE = 300; // milliseconds without a key pressed

// `read` is asked for what is in the form.
/** @type {(form: HTMLElement, read: () => Draft) => void} */
export function keepUnsent(form, read) {
  /** @type {number | undefined} */
  let timer;
  const keep = () => {
    clearTimeout(timer);
    write(read());
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, PATIENCE);
  });
  addEventListener("pagehide", keep);
}

/** @type {() => Draft | null} */
export function unsent() {
  try {
    const draft = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    return typeof draft.message === "string" ? draft : null;
  } catch {
    return null; // there is none, or the browser keeps nothing
  }
}

/** @type {(draft: Draft) => void} */
function write(draft) {
  try {
    sessionStorage.removeItem(KEY); // an older text must not come back in place of one that is too long
    if (draft.message) sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // It is still in the form.
  }
}
