/** Ask again every so often while the page is seen and the line stands. */
export function poll(ask: () => Promise<void>, everyMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let running = false;
  const run = async (): Promise<void> => {
    if (running) return;
    running = true;
    if (timer) clearTimeout(timer);
    try {
      await ask();
    } finally {
      running = false;
      timer = setTimeout(() => {
        if (document.hidden || !navigator.onLine) timer = null;
        else void run();
      }, everyMs);
    }
  };
  const wake = (): void => {
    if (!document.hidden && navigator.onLine && timer === null) void run();
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  void run();
  return () => void run();
}
