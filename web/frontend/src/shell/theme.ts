/** Light, dark, or as the device has it; remembered in a cookie so that the first paint is right. */
import { text, type TextKey } from "./text";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const listeners = new Set<() => void>();

export function onThemeChange(listener: () => void): void {
  listeners.add(listener);
}

function currentTheme(): Theme {
  const set = document.documentElement.dataset["theme"];
  return THEMES.find((theme) => theme === set) ?? "auto";
}

function changed(): void {
  for (const listener of listeners) listener();
}

export function installTheme(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  const buttons = document.querySelectorAll<HTMLButtonElement>("button[data-theme-switch]");
  const label = (): void => {
    for (const button of buttons) {
      const words = text(`theme.${currentTheme()}` as TextKey);
      button.setAttribute("aria-label", text("theme.switch", { now: words }));
      button.title = words;
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length] ?? "auto";
      document.documentElement.dataset["theme"] = next;
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `greenbay_theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
      label();
      changed();
    });
  }
  label();
}

/** A design token's value as the page shows it now. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
