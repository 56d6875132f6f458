// Asks for a confirmation in a dialog.

/** @type {(dialog: HTMLDialogElement, sentence: string) => Promise<boolean>} */
export function isConfirmed(dialog, sentence) {
  dialog.querySelector("p").textContent = sentence;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
