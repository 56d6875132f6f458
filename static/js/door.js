// A link that carries the access token behind its # logs in by itself: that part is never sent to a server's log.

const form = document.getElementById("by-token");
const token = decodeURIComponent(location.hash.slice(1));

if (form && token) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.password.value = token;
  form.requestSubmit();
}
