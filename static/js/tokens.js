// The button beside a new token.

import { copy } from "./clipboard.js";

const button = document.getElementById("copy");

if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(document.getElementById("token").textContent);
    button.textContent = button.dataset.done;
  });
}
