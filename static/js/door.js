// A link that carries the access token behind its # logs in by itself: that part is never sent to a server's log.

const form = document.getElementById("by-token");
const token = decoded(location.hash.slice(1));

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
