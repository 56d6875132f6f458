// A link with the access token in its fragment logs in by itself: a fragment is never sent, so no log has it.
// A view that is too long for an address is in the fragment too, after #?, and is passed on to the page after login.

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#by-token"));
/** @type {NodeListOf<HTMLFormElement>} */
const forms = document.querySelectorAll("form[method=post]");
const isView = location.hash.startsWith("#?");
const token = isView ? "" : decoded(location.hash.slice(1));

if (isView) for (const one of forms) one.action += location.hash;
if (form && token) {
  history.replaceState(null, "", location.pathname + location.search);
  /** @type {HTMLInputElement} */ (form.elements.namedItem("password")).value = token;
  form.requestSubmit();
}

// A token that was not encoded may have a percent sign.
/** @type {(text: string) => string} */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
