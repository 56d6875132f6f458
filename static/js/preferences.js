// What the person chose, kept in the browser; where it cannot be kept, until the page is left.

const KEY = "arauto";

const chosen = load();

export function get(name, fallback) {
  return chosen[name] ?? fallback;
}

export function set(name, value) {
  chosen[name] = value;
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch { /* full or forbidden */ }
}

function load() {
  try {
    return { ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return {};
  }
}
