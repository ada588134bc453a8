/** What waits for a second person: what it says, who proposed it, and the decision. */
import { act as send, actKey, ProblemError } from "../api/client";
import type { TermDraft } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { h, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { text } from "../shell/text";
import { toast } from "../shell/toast";
import { act, part, who } from "./words";

interface Shown {
  readonly draft: TermDraft;
  readonly title: string;
  readonly facts: readonly HTMLElement[];
}

/** Proposals, each with its decision where the reader may decide; null without one. */
export function draftList(
  waiting: readonly Shown[],
  names: Readonly<Record<string, string>>,
  mayDecide: boolean,
  done: () => Promise<void>,
): HTMLElement | null {
  if (waiting.length === 0) return null;
  return h("div", { class: "case" }, ...waiting.map((each) => draftBox(each, names, mayDecide, done)));
}

function draftBox(
  { draft, title, facts }: Shown,
  names: Readonly<Record<string, string>>,
  mayDecide: boolean,
  done: () => Promise<void>,
): HTMLElement {
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const key = actKey();
  const decide = async (approve: boolean): Promise<void> => {
    try {
      await send<TermDraft>("POST", `/api/v1/term-drafts/${draft.id}/decision`, { approve }, `${key}-${approve}`);
      toast(text(approve ? "terms.approved" : "terms.sent_back"));
      await done();
    } catch (error) {
      problem.hidden = false;
      const own = error instanceof ProblemError && error.status === 403;
      write(problem, own ? text("finance.not_alone") : problemText(error));
    }
  };
  const box = part(
    title,
    h("span", { class: "tag tag-warning" }, text("terms.waits")),
    h(
      "dl",
      { class: "facts" },
      fact(text("terms.from_label"), draft.from_at ? exactly(instant(draft.from_at)) : text("terms.from_approval")),
      ...facts,
      fact(text("terms.proposed_by"), `${who(draft.proposed_by, names)} · ${exactly(instant(draft.proposed_at))}`),
    ),
    problem,
    mayDecide
      ? h(
          "p",
          { class: "panel-acts" },
          act(text("terms.approve"), () => void decide(true), true),
          act(text("terms.send_back"), () => void decide(false)),
        )
      : null,
  );
  box.dataset["draft"] = draft.id;
  return box;
}
