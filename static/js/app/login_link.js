// A link that carries the access token behind its # logs in by itself: that part is never sent to a server's log.
// A view that is too long for an address stands there too, behind #?: it goes on to where the login leads.

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

// A token that somebody has put there as it is may have a percent sign.
/** @type {(text: string) => string} */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
