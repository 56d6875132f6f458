// How bad a message says it is. Pure.

export const RANKS = ["debug", "info", "warning", "error", "critical"];

const READ_LIMIT = 32_768; // characters; a longer message is no alert
const HINT = /"(?:severity|level|priority)"/;

// One of the ranks, or "" where it does not say.
export function severityOf(text) {
  if (text[0] !== "{" || text.length > READ_LIMIT || !HINT.test(text)) return "";
  try {
    const { severity, level, priority } = JSON.parse(text);
    const said = String(severity ?? level ?? priority).toLowerCase();
    return RANKS.includes(said) ? said : "";
  } catch {
    return "";
  }
}
