// Puts text on the clipboard, also where the page is not served in a way that browsers call secure.

// Says whether it is there.
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
  // The field has other line ends by now, and no script may set the clipboard but here.
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
