// How bad a message says it is. Pure.

export const RANKS = ["debug", "info", "warning", "error", "critical"];

// One of RANKS, or "" where it does not say.
export function severityOf(text) {
  if (!/^\s*\{/.test(text) || !/"(?:severity|level)"/.test(text)) return "";
  try {
    const { severity, level } = JSON.parse(text);
    const said = String(severity ?? level).toLowerCase();
    return RANKS.includes(said) ? said : "";
  } catch {
    return "";
  }
}
