// Keeps the screen on. The browser ends it whenever the page is not seen, so it is asked again when it is.

export function keepAwake() {
  const ask = async () => {
    if (document.hidden) return;
    try {
      await navigator.wakeLock?.request("screen");
    } catch {
      // The browser does not want to, as with an empty battery.
    }
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
