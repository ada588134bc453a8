/** Adopting a device that sends but is not registered: what it is and where it lies. */
import { act, actKey, readAll } from "../api/client";
import type { Adopted, Bay, Facility, UnknownDevice } from "../api/types";
import { instant } from "../format/time";
import { hexBytes } from "../format/frames";
import { inWalkingOrder } from "../format/labels";
import { agoText, inLanguage } from "../format/words";
import { byId, h, replace, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { counted, text } from "../shell/text";
import { toast } from "../shell/toast";


export function adoptDialog(
  unknown: UnknownDevice,
  facilities: readonly Facility[],
  models: readonly string[],
  adopted: () => void,
): void {
  const dialog = byId<HTMLDialogElement>("adopt");
  const key = actKey();
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const model = h(
    "select",
    { class: "input", id: "adopt-model", required: true },
    h("option", { value: "" }, text("adopt.choose_model")),
    ...models.map((name) => h("option", { value: name }, name)),
  );
  const facility = h(
    "select",
    { class: "input", id: "adopt-facility", required: true, onchange: () => void loadBays() },
    h("option", { value: "" }, text("adopt.choose_facility")),
    ...facilities.map((one) =>
      h("option", { value: one.id }, inLanguage(one.name.zh, one.name.en)),
    ),
  );
  const bay = h(
    "select",
    { class: "input", id: "adopt-bay", disabled: true },
    h("option", { value: "" }, text("adopt.no_bay")),
  );
  const submit = h(
    "button",
    { class: "button button-primary", type: "submit" },
    text("adopt.submit", { key: unknown.network_key }),
  );

  const loadBays = async (): Promise<void> => {
    bay.disabled = true;
    const chosen = facility.value;
    if (!chosen) return;
    const bays = await readAll<Bay>(`/api/v1/facilities/${chosen}/bays`, { limit: 500 }).catch(() => []);
    if (facility.value !== chosen) return;
    replace(
      bay,
      h("option", { value: "" }, text("adopt.no_bay")),
      ...inWalkingOrder(bays).map((one) => h("option", { value: one.id }, one.label)),
    );
    bay.disabled = false;
  };

  const send = async (): Promise<void> => {
    const place = facilities.find((one) => one.id === facility.value);
    if (!place || !model.value) return;
    submit.disabled = true;
    try {
      const { replayed } = await act<Adopted>(
        "POST",
        `/api/v1/devices/unknown/${unknown.id}/adopt`,
        { model: model.value, district: place.district, bay_id: bay.value || null },
        key,
      );
      dialog.close();
      toast(counted("adopt.done", replayed));
      adopted();
    } catch (error) {
      problem.hidden = false;
      write(problem, problemText(error));
    } finally {
      submit.disabled = false;
    }
  };

  replace(
    dialog,
    h(
      "form",
      {
        class: "dialog-body",
        onsubmit: (event) => {
          event.preventDefault();
          void send();
        },
      },
      h("h2", { id: "adopt-title" }, text("adopt.title")),
      h(
        "p",
        { class: "note" },
        text("adopt.sent", {
          frames: unknown.frames,
          source: unknown.source,
          age: agoText(instant(unknown.last_seen_at)),
        }),
      ),
      unknown.last_frame_hex &&
        h("code", { class: "hex" }, hexBytes(unknown.last_frame_hex)),
      h("label", { class: "label", for: "adopt-model" }, text("device.model")),
      model,
      h("label", { class: "label", for: "adopt-facility" }, text("adopt.facility")),
      facility,
      h("label", { class: "label", for: "adopt-bay" }, text("device.bay")),
      bay,
      h("p", { class: "note" }, text("adopt.consequence")),
      problem,
      h(
        "p",
        { class: "dialog-acts" },
        h(
          "button",
          { class: "button", type: "button", onclick: () => dialog.close() },
          text("act.cancel"),
        ),
        submit,
      ),
    ),
  );
  dialog.showModal();
}
