// Words to the person, and questions.

const message = document.getElementById("message");
const question = document.getElementById("question");
const text = document.getElementById("question-text");
const yes = document.getElementById("question-yes");
const no = document.getElementById("question-no");
/** How long words stay, in milliseconds. */
const STAY = 6000;
let timer;
let answer;

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
  question.showModal();
  return new Promise((resolve) => {
    answer = resolve;
  });
}

function settle(value) {
  const resolve = answer;
  answer = undefined;
  question.close();
  resolve?.(value);
}

yes.addEventListener("click", () => settle(true));
no.addEventListener("click", () => settle(false));
// By the Escape key. The event comes late: by then the next question may have been asked.
question.addEventListener("close", () => question.open || settle(false));
