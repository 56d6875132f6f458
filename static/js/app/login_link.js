// A link that carries the access token behind its # logs in by itself: that part is never sent to a server's log.
// A view that is too long for an address stands there too, behind #?: it goes on to where the login leads.

const form = document.getElementById("by-token");
const isView = location.hash.startsWith("#?");
const token = isView ? "" : decoded(location.hash.slice(1));

if (isView) for (const one of document.querySelectorAll("form[method=post]")) one.action += location.hash;
if (form && token) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.password.value = token;
  form.requestSubmit();
}

// A token that somebody has put there as it is may have a percent sign.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
