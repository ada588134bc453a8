/** This device as a terminal: enrolled by a supervisor's code, or how it stands. */
import { enrol, Refused, signIn } from "../terminal/line";
import { known } from "../terminal/self";
import { h, replace, write } from "../shell/dom";
import { field, labelled } from "../shell/form";
import { named, text } from "../shell/text";
import { bridge } from "./bridge";

const CODE_SIGNS = 14;

/** What is said where a request of the terminal is refused. */
function refusalText(error: unknown): string {
  return error instanceof Refused && error.message ? error.message : text("problem.offline");
}

/** What this device's maker provides for what a browser cannot drive; used where a person says so. */
function bridgePart(): HTMLElement {
  const state = h("p", { class: "note", role: "status", id: "bridge-state" });
  const look = h("button", { class: "button", type: "button", id: "bridge-look" }, text("bridge.look"));
  const drop = h("button", { class: "button button-quiet", type: "button", id: "bridge-drop" }, text("bridge.forget"));
  const draw = (): void => {
    const { hello } = bridge;
    drop.hidden = !bridge.wanted;
    if (hello) {
      const parts = hello.can.map((part) => named("bridge.part", part)).join(", ");
      write(state, text("bridge.found", { maker: hello.maker, model: hello.model, parts }));
    } else write(state, text(bridge.wanted ? "bridge.silent" : "bridge.none"));
  };
  look.addEventListener("click", () => void bridge.connect().then(draw));
  drop.addEventListener("click", () => {
    bridge.forget();
    draw();
  });
  draw();
  return h("section", { class: "panel-section" }, h("h3", {}, text("bridge.title")), state, h("p", { class: "panel-acts" }, look, drop));
}

export async function terminalPanel(enrolled: () => void): Promise<HTMLElement> {
  const body = h("div", { class: "panel-body" });
  const self = await known();
  if (self?.id) {
    replace(
      body,
      h("p", { class: "terminal-name" }, self.name),
      h("p", {}, text("terminal.enrolled")),
      h("p", { class: "note" }, text("terminal.again")),
    );
  } else replace(body, h("p", {}, text("terminal.not_enrolled")));
  const code = field("", {
    required: true,
    autocapitalize: "characters",
    spellcheck: "false",
    minlength: 12,
    maxlength: CODE_SIGNS + 4,
  });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { class: "button button-primary", type: "submit" }, text("terminal.enrol"));
  const send = async (): Promise<void> => {
    submit.disabled = true;
    problem.hidden = true;
    try {
      const told = await enrol(code.value);
      replace(
        body,
        h("p", { class: "terminal-name" }, told.name),
        h("p", { role: "status" }, text("terminal.done", { state: named("terminals.state", told.state) })),
      );
      enrolled();
      // It is a terminal now, whoever may or may not be signed in at it.
      await signIn().catch((error: unknown) => {
        body.append(h("p", { class: "form-problem", role: "alert" }, refusalText(error)));
      });
    } catch (error) {
      problem.hidden = false;
      write(problem, refusalText(error));
      submit.disabled = false;
    }
  };
  body.append(
    h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void send();
        },
      },
      labelled("enrolment-code", text("terminal.code"), code, text("terminal.code_hint")),
      problem,
      h("p", { class: "panel-acts" }, submit),
    ),
  );
  body.append(bridgePart());
  return body;
}
