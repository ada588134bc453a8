/** This device as a terminal: enrolled by a supervisor's code, or how it stands. */
import { enrol, Refused, signIn } from "../terminal/line";
import { known } from "../terminal/self";
import { h, replace, write } from "../shell/dom";
import { field, labelled } from "../shell/form";
import { named, text } from "../shell/text";

const CODE_SIGNS = 14;

/** What is said where a request of the terminal is refused. */
function refusalText(error: unknown): string {
  return error instanceof Refused && error.message ? error.message : text("problem.offline");
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
  return body;
}
