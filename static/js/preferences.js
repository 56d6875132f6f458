// What this browser keeps for its person. A storage that is full or forbidden lasts as long as the page.

const KEY = "arauto";

let kept = read({});

export function get(name, fallback) {
  return kept[name] ?? fallback;
}

export function set(name, value) {
  kept = { ...read(kept), [name]: value }; // another tab may have written meanwhile
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // It still holds here.
  }
}

function read(otherwise) {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
