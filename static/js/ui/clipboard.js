// Copies text to the clipboard, also on a page that is not a secure context.

// Resolves to whether it was copied.
/** @type {(text: string) => Promise<boolean>} */
export async function copy(text) {
  return (await navigator.clipboard?.writeText(text).then(() => true, () => false)) || copyField(text);
}

/** @type {(text: string) => boolean} */
function copyField(text) {
  const field = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  (document.querySelector(":popover-open") ?? document.body).append(field);
  field.select();
  // The field has changed line ends, and only this handler may set the clipboard.
  /** @type {(event: ClipboardEvent) => void} */
  const give = (event) => {
    event.preventDefault();
    event.clipboardData?.setData("text/plain", text);
  };
  document.addEventListener("copy", give, { once: true });
  const isCopied = document.execCommand("copy");
  document.removeEventListener("copy", give);
  field.remove();
  focused?.focus();
  return isCopied;
}
