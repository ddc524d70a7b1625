// Words to the person, and questions.

const message = document.getElementById("message");
const question = document.getElementById("question");
const text = document.getElementById("question-text");
const yes = document.getElementById("question-yes");
const no = document.getElementById("question-no");
/** How long words stay, in milliseconds. */
const STAY = 6000;
let timer;

/** Says something for a while; screen readers read it out. */
export function say(words) {
  message.hidden = false;
  message.replaceChildren(words);
  clearTimeout(timer);
  timer = setTimeout(() => {
    message.hidden = true;
  }, STAY);
}

/** Asks before something that cannot be undone. */
export function ask(words, action) {
  text.replaceChildren(words);
  yes.replaceChildren(action);
  question.returnValue = "";
  question.showModal();
  return new Promise((resolve) => {
    question.addEventListener("close", () => resolve(question.returnValue === "yes"), { once: true });
  });
}

yes.addEventListener("click", () => question.close("yes"));
no.addEventListener("click", () => question.close("no"));
