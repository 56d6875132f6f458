// Stores the unpublished form for the life of its tab: over a reload, another page and back, a crash.

const KEY = "arauto.unsent";
const PATIENCE = 300; // milliseconds without a key pressed

// `read` returns the form's content.
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
    return null; // there is none, or storage is forbidden
  }
}

/** @type {(draft: Draft) => void} */
function write(draft) {
  try {
    sessionStorage.removeItem(KEY); // an older text must not replace one that is too long to store
    if (draft.message) sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // The text is still in the form.
  }
}
