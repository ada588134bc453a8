/** Taking a photo with an act: scaled down here, hashed, kept with the act, never in a gallery of ours. */
import { uuid7 } from "../outbox/acts";
import type { TakenPhoto } from "../outbox/photos";
import { h, icon, replace, write } from "../shell/dom";
import { text } from "../shell/text";

const LONGEST_PX = 1_280;
const MOST_BYTES = 400_000;
const QUALITIES = [0.82, 0.65, 0.5, 0.35] as const;

function coded(canvas: HTMLCanvasElement, quality: number): Promise<Blob | null> {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

/** Draw a picture no larger than anybody needs; what the camera wrote beside it (place, device) is left out. */
async function drawn(file: Blob): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

async function packed(canvas: HTMLCanvasElement): Promise<ArrayBuffer> {
  for (const quality of QUALITIES) {
    const blob = await coded(canvas, quality);
    if (blob && (blob.size <= MOST_BYTES || quality === QUALITIES.at(-1))) return blob.arrayBuffer();
  }
  throw new Error("no picture");
}

async function taken(content: ArrayBuffer): Promise<TakenPhoto> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { id: uuid7(Date.now(), crypto.getRandomValues(new Uint8Array(16))), sha256, content };
}

export interface Camera {
  readonly element: HTMLElement;
  readonly photo: () => TakenPhoto | null;
}

/** A button that opens the camera, and what was taken beneath it. */
export function camera(id: string, label: string, onTaken: (photo: TakenPhoto) => void = () => undefined): Camera {
  let photo: TakenPhoto | null = null;
  const shown = h("div", { class: "photo-shown" });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const words = h("span", {}, label);
  const input = h("input", {
    class: "visually-hidden",
    type: "file",
    id,
    accept: "image/*",
    capture: "environment",
  });
  const take = async (): Promise<void> => {
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    problem.hidden = true;
    try {
      const canvas = await drawn(file);
      photo = await taken(await packed(canvas));
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", text("photo.taken"));
      replace(shown, canvas);
      write(words, text("photo.again"));
      onTaken(photo);
    } catch {
      problem.hidden = false;
      write(problem, text("photo.unreadable"));
    }
  };
  input.addEventListener("change", () => void take());
  const element = h(
    "div",
    { class: "photo-field" },
    h("label", { class: "button button-wide photo-take", for: id }, icon("camera"), words),
    input,
    shown,
    problem,
  );
  return { element, photo: () => photo };
}
