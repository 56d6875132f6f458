// Keeps the screen on. The browser releases the lock whenever the page is hidden, so it is requested again.

export function keepAwake() {
  const ask = async () => {
    if (document.hidden) return;
    try {
      await navigator.wakeLock?.request("screen");
    } catch {
      // The browser refuses, for example with a low battery.
    }
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
