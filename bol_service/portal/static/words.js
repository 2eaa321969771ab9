// The words of the page's language, and small helpers for making text. Everything that comes from
// data becomes a text node: nothing is ever read as markup.

export const language = document.documentElement.dataset.language;

let loaded;

export async function words() {
  loaded ??= fetch(`/portal/words/${language}.json`).then((answer) => answer.json());
  const table = await loaded;
  return (key, values = {}) => {
    const text = table[key] ?? key;
    return text.replace(/\{([a-zA-Z_]+)\}/g, (whole, name) => values[name] ?? whole);
  };
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function show(id, ...children) {
  const place = document.getElementById(id);
  if (children.length) place.replaceChildren(...children);
  place.hidden = false;
  return place;
}

export function localTime(moment) {
  const at = new Date(moment);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = -at.getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const hours = Math.floor(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  const zone = `UTC${sign}${hours}${rest ? `:${two(rest)}` : ""}`;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())} (${zone})`;
}

export const utcTime = (moment) => `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;
