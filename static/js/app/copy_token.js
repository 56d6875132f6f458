// The button beside a new token.

import { copy } from "../ui/clipboard.js";

const button = document.getElementById("copy");

if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const token = document.getElementById("token");
    const isCopied = await copy(token.textContent);
    if (!isCopied) getSelection()?.selectAllChildren(token); // to be copied by hand
    button.textContent = (isCopied ? button.dataset.done : button.dataset.failed) ?? null;
  });
}
